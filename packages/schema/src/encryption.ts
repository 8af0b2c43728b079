import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { isRecord } from "./fields/rules.ts";
import { isSecretReference } from "./secret-reference.ts";

/** APISIX's built-in keyring. Everybody knows it: it keeps secrets from a casual look only. */
export const DEFAULT_KEYRING = ["qeddd145sfvddff3", "edd1c9f0985e76a2"] as const;

/** Encrypts and decrypts single texts at rest. */
export interface Keyring {
  /** Ciphertext under the first key, in base64; the text itself when the keyring is empty. */
  encrypt(text: string): string;
  /** The text under the first key that fits, or nothing: plaintext, or written with a key this keyring lacks. */
  decrypt(text: string): string | undefined;
}

/**
 * Makes a keyring of 16-byte (AES-128-CBC) and 32-byte (AES-256-CBC) keys; throws `RangeError` on another length.
 *
 * The initialisation vector is the key's first 16 bytes, so equal texts give equal ciphertexts: required to read what
 * APISIX wrote and to be read by it. APISIX: data encryption.
 */
export function createKeyring(entries: readonly string[]): Keyring {
  const keys = entries.map(parseKeyEntry);
  const [first] = keys;
  return {
    encrypt: (text) => (first === undefined ? text : encryptWith(first, text)),
    decrypt: (text) => {
      const bytes = ciphertextOf(text);
      if (bytes === undefined) return undefined;
      for (const key of keys) {
        const plain = decryptWith(key, bytes);
        if (plain !== undefined) return plain;
      }
      return undefined;
    },
  };
}

/**
 * `value` with every string at the dotted paths encrypted: a string, the strings of an array, the values of a map.
 * Arrays on the way are entered item by item; a path that leads nowhere is passed over. References to secrets are
 * encrypted like any text. The input is not changed; what holds no such field is shared with it. APISIX:
 * `encrypt_fields`.
 */
export function encryptFields<TValue>(value: TValue, paths: readonly string[], keyring: Keyring): TValue {
  return mapFields(value, paths, (text) => keyring.encrypt(text));
}

/** The inverse of {@link encryptFields}; what does not decrypt is kept as it is. */
export function decryptFields<TValue>(value: TValue, paths: readonly string[], keyring: Keyring): TValue {
  return mapFields(value, paths, (text) => keyring.decrypt(text) ?? text);
}

/**
 * {@link encryptFields} for private keys: only texts that start with `---` are encrypted, so ciphertext and references
 * to secrets pass through. What `secretFields` of a resource (not of a plugin) calls for.
 */
export function encryptPrivateKeys<TValue>(value: TValue, paths: readonly string[], keyring: Keyring): TValue {
  return mapFields(value, paths, (text) => (isPem(text) ? keyring.encrypt(text) : text));
}

/** Where a private key is: a dotted path, and for lists which of their texts, from 1. */
export interface PrivateKeyPlace {
  readonly path: string;
  readonly position: number;
}

/** The first private key at the dotted paths that is ciphertext which `keyring` does not open; references are none. */
export function findUnreadablePrivateKey(
  value: unknown,
  paths: readonly string[],
  keyring: Keyring,
): PrivateKeyPlace | undefined {
  for (const path of paths) {
    let position = 0;
    let found: number | undefined;
    mapFields(value, [path], (text) => {
      position += 1;
      if (!isPem(text) && !isSecretReference(text) && keyring.decrypt(text) === undefined) found ??= position;
      return text;
    });
    if (found !== undefined) return { path, position: found };
  }
  return undefined;
}

function isPem(text: string): boolean {
  return text.startsWith("---");
}

type TextMap = (text: string) => string;

function mapFields<TValue>(value: TValue, paths: readonly string[], map: TextMap): TValue {
  let mapped: unknown = value;
  for (const path of paths) mapped = mapAt(mapped, path.split("."), map);
  return mapped as TValue;
}

/** The holder with the field changed: what lies on the way is copied, what lies beside it is shared. */
function mapAt(holder: unknown, path: readonly string[], map: TextMap): unknown {
  if (Array.isArray(holder)) return mapItems(holder, path, map);
  const [name, ...rest] = path;
  if (name === undefined || !isRecord(holder) || !Object.hasOwn(holder, name)) return holder;
  const field = holder[name];
  const mapped = rest.length > 0 ? mapAt(field, rest, map) : mapLeaf(field, map);
  return mapped === field ? holder : { ...holder, [name]: mapped };
}

function mapItems(items: readonly unknown[], path: readonly string[], map: TextMap): readonly unknown[] {
  const mapped = items.map((item) => mapAt(item, path, map));
  return mapped.some((item, index) => item !== items[index]) ? mapped : items;
}

function mapLeaf(leaf: unknown, map: TextMap): unknown {
  if (typeof leaf === "string") return map(leaf);
  if (Array.isArray(leaf)) return leaf.map((item: unknown) => (typeof item === "string" ? map(item) : item));
  if (!isRecord(leaf)) return leaf;
  return Object.fromEntries(
    Object.entries(leaf).map(([key, item]) => [key, typeof item === "string" ? map(item) : item]),
  );
}

interface KeyEntry {
  readonly algorithm: "aes-128-cbc" | "aes-256-cbc";
  readonly key: KeyObject;
  readonly iv: Buffer;
}

const BLOCK_BYTES = 16;

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parseKeyEntry(entry: string): KeyEntry {
  const bytes = Buffer.from(entry, "utf8");
  if (bytes.length !== 16 && bytes.length !== 32) {
    throw new RangeError(`a keyring entry has 16 or 32 bytes, not ${bytes.length}`);
  }
  return {
    algorithm: bytes.length === 16 ? "aes-128-cbc" : "aes-256-cbc",
    // Given the bytes, Node would make a key object of them for every single text, which costs more than decrypting.
    key: createSecretKey(bytes),
    iv: bytes.subarray(0, BLOCK_BYTES),
  };
}

function encryptWith({ algorithm, key, iv }: KeyEntry, text: string): string {
  const cipher = createCipheriv(algorithm, key, iv);
  return cipher.update(text, "utf8", "base64") + cipher.final("base64");
}

/** A wrong key passes the padding check once in 256 times; that the result is UTF-8 catches nearly all of those. */
function decryptWith({ algorithm, key, iv }: KeyEntry, bytes: Buffer): string | undefined {
  try {
    const decipher = createDecipheriv(algorithm, key, iv);
    const plain = Buffer.concat([decipher.update(bytes), decipher.final()]);
    return STRICT_UTF8.decode(plain);
  } catch {
    return undefined;
  }
}

/** The bytes behind a text that can be ciphertext: canonical base64 of whole blocks. */
function ciphertextOf(text: string): Buffer | undefined {
  if (text.length === 0 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.length > 0 && bytes.length % BLOCK_BYTES === 0 ? bytes : undefined;
}

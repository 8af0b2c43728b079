import { createDecipheriv } from "node:crypto";
import { jose } from "../shared/jose.ts";

/** Bytes of the tag of A256GCM; shorter ones would be easier to guess. */
const TAG_BYTES = 16;

/** A token in its compact form, taken apart. */
export interface JweToken {
  readonly text: string;
  readonly keyId: string | undefined;
}

/** Takes a token apart; nothing when it is none. */
export function readToken(text: string): JweToken | undefined {
  const [header = "", ...others] = text.split(".");
  if (others.length !== 4) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const keyId = Object.hasOwn(parsed, "kid") ? Reflect.get(parsed, "kid") : undefined;
    return { text, keyId: typeof keyId === "string" ? keyId : undefined };
  } catch {
    return undefined;
  }
}

/** Decrypts a token with the algorithms `dir` and `A256GCM`; rejects when the secret does not fit. */
export async function openToken({ text }: JweToken, secret: Uint8Array): Promise<Uint8Array> {
  try {
    const algorithms = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
    return (await jose().compactDecrypt(text, secret, algorithms)).plaintext;
  } catch {
    return openUnbound(text, secret);
  }
}

/** Tokens that were made for APISIX do not bind their header to what is encrypted, which RFC 7516 (5.1) asks for. */
function openUnbound(text: string, secret: Uint8Array): Uint8Array {
  const [, , iv = "", ciphertext = "", tag = ""] = text.split(".");
  const decipher = createDecipheriv("aes-256-gcm", secret, Buffer.from(iv, "base64url"), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(Buffer.from(tag, "base64url"));
  return Buffer.concat([decipher.update(Buffer.from(ciphertext, "base64url")), decipher.final()]);
}

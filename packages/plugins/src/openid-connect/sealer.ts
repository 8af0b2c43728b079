import { hkdfSync } from "node:crypto";
import { jose } from "../shared/jose.ts";

const KEY_BYTES = 32;

/** What a key is made from, and what for: something that was sealed for one purpose opens for no other. */
export interface SealPurpose {
  readonly secret: string;
  /** Whose sessions they are; those of another client are not opened. */
  readonly client: string;
  readonly purpose: "session" | "state";
}

/** Encrypts and authenticates what browsers keep for the gateway (JWE, `dir` with `A256GCM`). */
export class Sealer<TValue extends object> {
  readonly #key: Uint8Array;

  constructor({ client, purpose, secret }: SealPurpose) {
    const info = JSON.stringify(["fngate openid-connect", purpose, client]);
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", info, KEY_BYTES));
  }

  /** Makes text out of a value, in characters that cookies and arguments may have. */
  seal(value: TValue): Promise<string> {
    return new (jose().CompactEncrypt)(Buffer.from(JSON.stringify(value)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(this.#key);
  }

  /** The value that was sealed; nothing for text that this sealer did not make. */
  async open(text: string): Promise<TValue | undefined> {
    try {
      const algorithms = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
      const { plaintext } = await jose().compactDecrypt(text, this.#key, algorithms);
      return JSON.parse(Buffer.from(plaintext).toString("utf8")) as TValue;
    } catch {
      return undefined;
    }
  }
}

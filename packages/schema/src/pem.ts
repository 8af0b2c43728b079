import { createPrivateKey, X509Certificate } from "node:crypto";
import { isSecretReference } from "./secret-reference.ts";

/**
 * What is wrong with a certificate and its key, in the words of APISIX's OpenSSL binding; nothing when either is absent
 * or a secret reference. That they belong together is not checked, as in APISIX.
 */
export function tlsPairProblem(cert: string | undefined, key: string | undefined): string | undefined {
  if (cert === undefined || key === undefined || isSecretReference(cert) || isSecretReference(key)) return undefined;
  return certificateProblem(cert) ?? privateKeyProblem(key);
}

/** What is wrong with a PEM certificate. */
export function certificateProblem(cert: string): string | undefined {
  try {
    new X509Certificate(cert);
    return undefined;
  } catch {
    return "failed to parse cert: PEM_read_bio_X509_AUX() failed";
  }
}

/** Text that is not PEM counts as ciphertext, which cannot be read without the keyring; only its form is checked. */
function privateKeyProblem(key: string): string | undefined {
  if (!key.startsWith("---")) {
    return isCiphertext(key) ? undefined : "failed to decrypt previous encrypted key";
  }
  try {
    createPrivateKey(key);
    return undefined;
  } catch {
    return "failed to parse key: PEM_read_bio_PrivateKey() failed";
  }
}

/** Base64 of whole AES blocks. */
function isCiphertext(text: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return false;
  return Buffer.byteLength(text, "base64") % 16 === 0;
}

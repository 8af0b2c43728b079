import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { TlsKeyPair } from "./snapshot.ts";

/** A certificate and its key, as far as both can be read. */
export interface ReadPair {
  readonly leaf: X509Certificate;
  readonly privateKey: KeyObject;
}

/** Which part of a pair is wrong; messages say nothing of what is in a key. */
export interface PairProblem {
  readonly part: "cert" | "key";
  readonly message: string;
}

/** Reads a pair, of whose certificates the first counts; that the two belong together is not checked. */
export function readPair({ cert, key }: TlsKeyPair): ReadPair | PairProblem {
  const [leaf] = readCertificates(cert);
  if (leaf === undefined) return { part: "cert", message: "failed to parse cert" };
  if (!key.startsWith("---")) return { part: "key", message: "failed to decrypt previous encrypted key" };
  const privateKey = readKey(key);
  return privateKey === undefined ? { part: "key", message: "failed to parse key" } : { leaf, privateKey };
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** The certificates of a text, in order; none when one of them cannot be read. */
export function readCertificates(pem: string): readonly X509Certificate[] {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

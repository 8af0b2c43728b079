import { createHmac } from "node:crypto";
import type { RequestContext } from "@fngate/plugin-kit";
import { isSameSecret } from "../shared/same-secret.ts";
import type { PresentedSignature } from "./read-signature.ts";
import type { HmacAlgorithm } from "./schema.ts";

const HASHES: Readonly<Record<HmacAlgorithm, string>> = {
  "hmac-sha1": "sha1",
  "hmac-sha256": "sha256",
  "hmac-sha512": "sha512",
};

/** What a signature is verified with. */
export interface SigningKey {
  readonly algorithm: HmacAlgorithm;
  readonly secret: string;
}

/** Whether a request carries the signature that the key gives it. */
export function isSignedWith(context: RequestContext, presented: PresentedSignature, key: SigningKey): boolean {
  const text = signingString(context, presented);
  if (text === undefined) return false;
  // The text holds one character per byte, as everything that came over the wire.
  const expected = createHmac(HASHES[key.algorithm], key.secret).update(text, "latin1").digest();
  return isSameSecret(Buffer.from(presented.signature ?? "", "base64"), expected);
}

/**
 * The text that is signed (APISIX: hmac-auth, signing string): the key's name, then a line for each named part; fields
 * that the request does not have are passed over. Nothing when somebody else than the signer could have made the same
 * text: of a field that came twice only one value would be covered, and a line break in the path would begin a line.
 */
function signingString({ request, variables }: RequestContext, { headers, keyId }: PresentedSignature) {
  let text = `${keyId}\n`;
  for (const name of headers) {
    if (name === "@request-target") {
      const target = String(variables.get("request_uri"));
      if (/[\r\n]/.test(target)) return undefined;
      text += `${request.method} ${target}\n`;
      continue;
    }
    const [value, ...others] = request.headers.getAll(name.toLowerCase());
    if (others.length > 0) return undefined;
    if (value !== undefined) text += `${name}: ${value}\n`;
  }
  return text;
}

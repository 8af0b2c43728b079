import type { X509Certificate } from "node:crypto";

/** What a certificate says of itself and of who issued it. */
export type ChainLink = Pick<X509Certificate, "issuerCertificate" | "checkIssued">;

/** No chain that a handshake has accepted is longer. */
const LONGEST_CHAIN = 100;

/**
 * Certificates between a verified one and the authority that it goes back to: what OpenSSL's depth limits, which Node
 * has no option for. Where Node does not tell the chain that a client sent (it lost that in some releases,
 * nodejs/node issue 65579), a certificate that no authority issued counts as having one in between.
 */
export function countIntermediates(certificate: ChainLink, authorities: readonly X509Certificate[]): number {
  let link = certificate;
  for (let count = 0; count < LONGEST_CHAIN; count += 1) {
    const authority = authorities.find((candidate) => link.checkIssued(candidate));
    if (authority?.checkIssued(authority) === true) return count;
    const issuer = authority ?? link.issuerCertificate;
    if (issuer === undefined) return count + 1;
    link = issuer;
  }
  return LONGEST_CHAIN;
}

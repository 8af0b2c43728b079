import { getCACertificates } from "node:tls";

/** PEM certificates that servers are checked against: Node's own, the system's and `more`. */
export function trustedCertificates(more: readonly string[]): string[] {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system"), ...more])];
}

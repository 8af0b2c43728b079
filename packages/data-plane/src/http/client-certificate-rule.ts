import type { ClientVerification, Snapshot } from "../compile/snapshot.ts";
import type { ClientTls } from "./client-tls.ts";

/** What the rule looks at of a request. */
export interface CertifiedRequest {
  readonly host: string;
  readonly path: string;
}

/**
 * Why a request may not be served on its TLS connection, for the log; nothing when it may. A certificate that was
 * verified for one name counts for no other, and one that an object no longer asks for does not count for it. Source:
 * APISIX tls, client certificates.
 */
export function certificateProblem(tls: ClientTls, request: CertifiedRequest, snapshot: Snapshot): string | undefined {
  const shown = tls.ssl.client;
  if (shown !== undefined && isDemanded(shown, request) && tls.verify !== "SUCCESS") return describe(tls);
  if (!snapshot.certificates.verifiesClients) return undefined;
  const demanded = snapshot.certificates.find(request.host)?.client;
  if (demanded === undefined) return undefined;
  if (tls.serverName !== request.host) {
    return `client certificate verified with SNI ${tls.serverName}, but the host is ${request.host}`;
  }
  // The object may have changed since the handshake.
  const isVerified = tls.verify === "SUCCESS" && shown?.ca === demanded.ca;
  return isVerified || !isDemanded(demanded, request) ? undefined : describe(tls);
}

function isDemanded({ skip }: ClientVerification, request: CertifiedRequest): boolean {
  return skip?.some((pattern) => pattern.evaluate({ get: () => request.path })) !== true;
}

function describe({ verify }: ClientTls): string {
  if (verify === "NONE") return "client certificate was not present";
  return `client certificate verification is not passed: ${verify}`;
}

import type { ResourceReference } from "./definition.ts";

/** The client certificate of the upstream at `path`; certificates may be deleted while in use. */
export function clientCertificateOf(...path: readonly string[]): ResourceReference {
  return { path: [...path, "tls", "client_cert_id"], kind: "ssl", accepts: isClientCertificate, isWeak: true };
}

/** Refuses a server's certificate where a client's is wanted. APISIX: upstream `tls.client_cert_id`. */
function isClientCertificate(target: Readonly<Record<string, unknown>>, id: string): string | undefined {
  return target["type"] === "client" ? undefined : `failed to fetch ssl info by ssl id [${id}], wrong ssl type`;
}

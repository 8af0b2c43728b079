/** Refuses a server's certificate where a client's is wanted. APISIX: upstream `tls.client_cert_id`. */
export function isClientCertificate(target: Readonly<Record<string, unknown>>, id: string): string | undefined {
  return target["type"] === "client" ? undefined : `failed to fetch ssl info by ssl id [${id}], wrong ssl type`;
}

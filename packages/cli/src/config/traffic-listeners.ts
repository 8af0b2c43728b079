import type { ConfigFile } from "./schema.ts";

/** A port of the data plane's traffic; port 0 takes any free one. */
export interface TrafficListener {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly isHttp2Enabled: boolean;
  /** Whether connections begin with a PROXY protocol header. */
  readonly isProxied: boolean;
}

/** What holds for all TLS ports. */
export interface TlsSettings {
  readonly protocols: readonly TlsProtocol[];
  readonly sessionTickets: boolean;
  readonly ciphers?: string;
  readonly fallbackSni?: string;
  /** What the workers' ticket keys come from; absent in a single process. */
  readonly ticketSecret?: Uint8Array;
}

type TlsProtocol = "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/** `apisix.node_listen`, `apisix.ssl.listen` and the ports of `apisix.proxy_protocol`. */
export function trafficListeners(file: ConfigFile): TrafficListener[] {
  const { apisix } = file;
  const hasTls = apisix?.ssl?.enable ?? true;
  const { listen_http_port: httpPort, listen_https_port: httpsPort } = apisix?.proxy_protocol ?? {};
  const plain = [apisix?.node_listen ?? 9080].flat();
  const secure = hasTls ? (apisix?.ssl?.listen ?? [{ port: 9443 }]) : [];
  return [
    ...plain.flatMap((entry) => listeners(file, entry, { defaultPort: 9080 })),
    ...secure.flatMap((entry) => listeners(file, entry, { defaultPort: 9443, isTls: true })),
    ...(httpPort === undefined ? [] : listeners(file, httpPort, { isProxied: true })),
    ...(httpsPort === undefined || !hasTls ? [] : listeners(file, httpsPort, { isTls: true, isProxied: true })),
  ];
}

/** `apisix.ssl` beside its listeners. */
export function tlsSettings(file: ConfigFile): TlsSettings {
  const { fallback_sni: fallbackSni, ssl_ciphers: ciphers, ...ssl } = file.apisix?.ssl ?? {};
  const protocols = (ssl.ssl_protocols ?? "TLSv1.2 TLSv1.3").split(/\s+/).filter(isProtocol);
  return {
    protocols,
    sessionTickets: ssl.ssl_session_tickets ?? false,
    ...(ciphers && { ciphers }),
    ...(fallbackSni && { fallbackSni }),
  };
}

function isProtocol(word: string): word is TlsProtocol {
  return word === "TLSv1.1" || word === "TLSv1.2" || word === "TLSv1.3";
}

type Entry = number | { readonly ip?: string | undefined; readonly port?: number | undefined };

interface ListenerKind {
  readonly defaultPort?: number;
  readonly isTls?: boolean;
  readonly isProxied?: boolean;
}

function listeners(file: ConfigFile, entry: Entry, kind: ListenerKind): TrafficListener[] {
  const { defaultPort = 0, isProxied = false, isTls = false } = kind;
  const { ip, port = defaultPort } = typeof entry === "number" ? { port: entry } : entry;
  const loopback = file.apisix?.enable_ipv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
  const isHttp2Enabled = file.apisix?.enable_http2 ?? true;
  return (ip === undefined ? loopback : [ip]).map((host) => ({ host, port, isTls, isHttp2Enabled, isProxied }));
}

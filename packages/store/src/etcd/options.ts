import { type Clock, GatewayError, type Logger } from "@fngate/kernel";

/** How {@link openEtcdStore} reaches etcd. */
export interface EtcdStoreOptions {
  /** Endpoints of one cluster: `http(s)://host:port` or `host:port`; the port defaults to 2379. */
  readonly hosts: readonly string[];
  readonly user?: string;
  readonly password?: string;
  /** Used for `https` endpoints. */
  readonly tls?: EtcdTls;
  /** Most milliseconds any one call may take, all endpoints tried; also the wait for a watch to prove it is alive. */
  readonly timeoutMs: number;
  /** Default 10000: how often a quiet watch is asked for a sign of life, in milliseconds. */
  readonly watchCheckIntervalMs?: number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Paces the watch checks; default: the machine's time. */
  readonly clock?: Clock;
}

/** TLS towards etcd; every text is PEM. */
export interface EtcdTls {
  /** Authorities to trust; default: the ones Node brings. */
  readonly ca?: string;
  /** Client certificate and its key: both or neither. */
  readonly cert?: string;
  readonly key?: string;
  /** Whether chain and name of the server are verified. */
  readonly verify: boolean;
  /** Name sent as SNI and checked against the certificate; default: the endpoint's host (as SNI no IP address). */
  readonly serverName?: string;
}

/** Where one etcd member listens. */
export interface EndpointAddress {
  /** `scheme://host:port`. */
  readonly url: string;
  readonly isSecure: boolean;
}

const DEFAULT_PORT = 2379;

/** Reads one endpoint. Raises `CONFIG_INVALID` when it is no `http(s)://host:port`. */
export function parseEndpoint(host: string): EndpointAddress {
  const match = /^(?:(https?):\/\/)?([\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?\/?$/i.exec(host.trim());
  if (match === null) throw new GatewayError("CONFIG_INVALID", `not an etcd endpoint: "${withoutUser(host)}"`);
  const scheme = match[1]?.toLowerCase() ?? "http";
  return { url: `${scheme}://${match[2]}:${match[3] ?? DEFAULT_PORT}`, isSecure: scheme === "https" };
}

/** Keeps credentials someone put into a URL out of messages. */
function withoutUser(host: string): string {
  return host.replace(/\/\/.*@/, "//");
}

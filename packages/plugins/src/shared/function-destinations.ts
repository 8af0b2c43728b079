import type { Connections, Endpoint, Target } from "@fngate/kernel";
import type { FunctionConfig } from "./function-fields.ts";
import { authorityOf, type FunctionAddress, hostHeaderOf, portOf } from "./function-uri.ts";

/** How connections to a function are made and kept. */
export type ConnectionConfig = Pick<
  FunctionConfig,
  "ssl_verify" | "timeout" | "keepalive" | "keepalive_timeout" | "keepalive_pool"
>;

/** Where a request of one scheme goes. */
export interface Destination {
  readonly endpoint: Endpoint;
  /** The `Host` a function receives. */
  readonly hostHeader: string;
  /** Host, and port unless it is the scheme's own: the usual `Host`. */
  readonly authority: string;
}

/** By the scheme of the client's request; both are the same unless the address inherits it. */
export type Destinations = Readonly<Record<"http" | "https", Destination>>;

/** Takes the connection pools of an address; {@link releaseDestinations} gives them back. */
export function openDestinations(
  address: FunctionAddress,
  config: ConnectionConfig,
  connections: Connections,
): Destinations {
  const open = (scheme: "http" | "https"): Destination => ({
    endpoint: connections.acquire(targetOf(address, scheme, config)),
    hostHeader: hostHeaderOf(address, scheme),
    authority: authorityOf(address, scheme),
  });
  if (address.scheme !== "inherit") {
    const only = open(address.scheme);
    return { http: only, https: only };
  }
  const http = open("http");
  try {
    return { http, https: open("https") };
  } catch (error) {
    http.endpoint.release();
    throw error;
  }
}

/** Gives back what {@link openDestinations} took. */
export function releaseDestinations({ http, https }: Destinations): void {
  http.endpoint.release();
  if (https !== http) https.endpoint.release();
}

function targetOf(address: FunctionAddress, scheme: "http" | "https", config: ConnectionConfig): Target {
  const timeoutMs = config.timeout;
  return {
    scheme,
    host: address.host,
    port: portOf(address, scheme),
    ...(scheme === "https" ? { tls: { verify: config.ssl_verify } } : {}),
    keepalive: {
      idleConnections: config.keepalive ? config.keepalive_pool : 0,
      idleTimeoutMs: config.keepalive_timeout,
    },
    timeouts: { connectMs: timeoutMs, sendMs: timeoutMs, readMs: timeoutMs },
  };
}

import { isIP } from "node:net";
import type { Connections, Endpoint, Target } from "@fngate/kernel";
import { NodeLoad, type UpstreamLoads } from "./node-load.ts";
import type { NodeAddress } from "./parse-nodes.ts";

/** Clients choose the server name under `pass_host: pass`, so the endpoints kept per node are bounded. */
const MOST_SERVER_NAMES = 64;

/** One node of a compiled upstream. */
export interface UpstreamNode {
  /** Address or name to connect to, IPv6 without brackets. */
  readonly host: string;
  /** The configured name, when `host` is the address that it was resolved to. */
  readonly domain: string | undefined;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  /** `host:port`, IPv6 in brackets: for logs and metrics. */
  readonly address: string;
  /** `Host` for `pass_host` `node` and `rewrite`; absent under `pass`. */
  readonly hostHeader: string | undefined;
  /** How busy it is; counted only where the balancer goes by it. */
  readonly load: NodeLoad;
  /** The endpoint for a request that carries `host` as its `Host`. */
  endpointFor(host: string): Endpoint;
  release(): void;
}

/** What the nodes of one upstream have in common. */
export interface NodeSettings {
  readonly connections: Connections;
  /** Host and port are each node's own. */
  readonly target: Omit<Target, "host" | "port">;
  /** `Host` of the address, else of `upstream_host`; absent: the client's. */
  readonly hostHeaderOf: (address: NodeAddress) => string | undefined;
  /** Absent: nobody counts. */
  readonly loads: UpstreamLoads | undefined;
}

/** The load of every node whose load is not counted. */
const NOT_COUNTED = new NodeLoad();

/** Makes a node and acquires its endpoint. */
export function createNode(address: NodeAddress, settings: NodeSettings): UpstreamNode {
  return new PooledNode(address, settings);
}

class PooledNode implements UpstreamNode {
  readonly host: string;
  readonly domain: string | undefined;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  readonly address: string;
  readonly hostHeader: string | undefined;
  readonly load: NodeLoad;
  readonly #settings: NodeSettings;
  readonly #endpoint: Endpoint;
  /** Endpoints by server name, oldest first. */
  readonly #byServerName = new Map<string, Endpoint>();

  constructor(address: NodeAddress, settings: NodeSettings) {
    this.host = address.host;
    this.domain = address.domain;
    this.port = address.port;
    this.weight = address.weight;
    this.priority = address.priority;
    this.address = `${bracketed(address.host)}:${address.port}`;
    this.hostHeader = settings.hostHeaderOf(address);
    this.load = settings.loads?.of(this.address) ?? NOT_COUNTED;
    this.#settings = settings;
    this.#endpoint = this.#acquire(serverNameOf(this.hostHeader ?? address.domain ?? address.host));
  }

  endpointFor(host: string): Endpoint {
    // Without TLS there is no server name, and a fixed `Host` has a fixed one.
    if (this.hostHeader !== undefined || this.#settings.target.tls === undefined) return this.#endpoint;
    const serverName = serverNameOf(host);
    const known = this.#byServerName.get(serverName);
    if (known !== undefined) return known;
    if (this.#byServerName.size >= MOST_SERVER_NAMES) this.#dropOldest();
    const endpoint = this.#acquire(serverName);
    this.#byServerName.set(serverName, endpoint);
    return endpoint;
  }

  release(): void {
    this.#endpoint.release();
    for (const endpoint of this.#byServerName.values()) endpoint.release();
    this.#byServerName.clear();
  }

  #acquire(serverName: string): Endpoint {
    const { connections, target } = this.#settings;
    const tls = target.tls === undefined ? {} : { tls: { ...target.tls, serverName } };
    return connections.acquire({ ...target, ...tls, host: this.host, port: this.port });
  }

  #dropOldest(): void {
    for (const [serverName, endpoint] of this.#byServerName) {
      this.#byServerName.delete(serverName);
      endpoint.release();
      return;
    }
  }
}

/** A host with brackets if it is an IPv6 address. */
export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** A `Host` value without its port and brackets, in lower case. */
function serverNameOf(host: string): string {
  if (host.startsWith("[")) return host.slice(1, Math.max(host.indexOf("]"), 1));
  const colon = host.indexOf(":");
  const isBareIpv6 = colon >= 0 && host.includes(":", colon + 1);
  return (colon < 0 || isBareIpv6 ? host : host.slice(0, colon)).toLowerCase();
}

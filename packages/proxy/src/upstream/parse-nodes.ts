import { isIPv6 } from "node:net";
import { GatewayError } from "@fngate/kernel";
import type { UpstreamConfig, UpstreamNodeConfig } from "./upstream-config.ts";

/** A node with every field known. */
export interface NodeAddress {
  /** Address or name to connect to, without brackets. */
  readonly host: string;
  /** The configured name, when `host` is the address that it was resolved to. */
  readonly domain?: string | undefined;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
}

/** What ends or splits the authority of a URL; the store may hold any text, and no name has these. */
const NEVER_IN_A_HOST = /[\s/?#@\\:[\]]/;

/**
 * Both forms of an upstream's `nodes` as one list: missing ports filled, IPv6 brackets taken off, and of repeated
 * addresses the last weight kept (APISIX upstream nodes). In the array form a `host` may carry the port.
 *
 * @throws GatewayError `UPSTREAM_INVALID` for an address that cannot be read or a port outside 1 to 65535
 */
export function parseNodes(nodes: UpstreamConfig["nodes"], defaultPort: number): NodeAddress[] {
  const byAddress = new Map<string, NodeAddress>();
  for (const node of listOf(nodes)) {
    const host = withoutBrackets(node.host);
    const port = node.port ?? defaultPort;
    if (!isHost(host) || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new GatewayError("UPSTREAM_INVALID", `invalid node ${node.host} with port ${port}`);
    }
    byAddress.set(`${host} ${port}`, { host, port, weight: node.weight, priority: node.priority ?? 0 });
  }
  return [...byAddress.values()];
}

function listOf(nodes: UpstreamConfig["nodes"]): readonly UpstreamNodeConfig[] {
  if (nodes === undefined) return [];
  if (isList(nodes)) {
    return nodes.map((node) => (node.port === undefined ? { ...node, ...parseAddress(node.host) } : node));
  }
  return Object.entries(nodes).map(([address, weight]) => ({ ...parseAddress(address), weight }));
}

/** Whether a connection can be tried; a name that no resolver knows is noticed then. */
function isHost(host: string): boolean {
  return isIPv6(host) || (!NEVER_IN_A_HOST.test(host) && URL.canParse(`http://${host}/`));
}

function isList(nodes: NonNullable<UpstreamConfig["nodes"]>): nodes is readonly UpstreamNodeConfig[] {
  return Array.isArray(nodes);
}

/** Splits `host`, `host:port`, `[v6]`, `[v6]:port` and a bare IPv6 address. */
export function parseAddress(address: string): { host: string; port?: number } {
  const bracket = address.startsWith("[") ? address.indexOf("]") : -1;
  if (bracket > 0) return withPort(address.slice(1, bracket), address.slice(bracket + 1));
  const colon = address.indexOf(":");
  if (colon < 0 || address.includes(":", colon + 1)) return { host: address };
  return withPort(address.slice(0, colon), address.slice(colon));
}

function withPort(host: string, rest: string): { host: string; port?: number } {
  if (rest === "") return { host };
  return { host, port: rest.startsWith(":") && rest.length > 1 ? Number(rest.slice(1)) : Number.NaN };
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

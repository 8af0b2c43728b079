import { isIP, isIPv6 } from "node:net";
import { percentDecode, percentEncode } from "./percent-encoding.ts";

/** A function's address, taken apart once per configuration. */
export interface FunctionAddress {
  /** `inherit`: the address began with `//` and takes the scheme of the client's request. */
  readonly scheme: "http" | "https" | "inherit";
  /** Lower case, IPv6 without brackets. */
  readonly host: string;
  /** Absent: the scheme's own, 80 or 443. */
  readonly port: number | undefined;
  /** Re-encoded path, without query and fragment; empty when the address has none. */
  readonly basePath: string;
}

/** Everything up to the path; what follows the port has to be a path, a query, a fragment or nothing. */
const AUTHORITY = /^(?:(https?):)?\/\/(\[[^\]]+\]|[^\s:/?#@[\]\\]+)(?::(\d+))?(?=[/?#]|$)/;

/** Hosts that travel in `Host` without their port. */
const PLAIN_HOST = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;

/** What the path of a function's address keeps beside letters and digits. */
const PATH_KEPT = ":-_.!~*'()@&=$,;";

/**
 * Takes a function's address apart; `undefined` when no call can be made to it, which is found out per request and
 * not when the configuration is written (APISIX: any string is a valid `function_uri`).
 *
 * Scheme has to be lower case, user information is not supported, query and fragment are dropped.
 */
export function parseFunctionUri(uri: string): FunctionAddress | undefined {
  const match = AUTHORITY.exec(uri);
  if (match === null) return undefined;
  const [authority, scheme, hostText = "", portText] = match;
  const host = parseHost(hostText);
  const port = portText === undefined ? undefined : Number(portText);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  const basePath = uri.slice(authority.length).replace(/[?#].*$/s, "");
  return {
    scheme: scheme === "http" || scheme === "https" ? scheme : "inherit",
    host,
    port,
    basePath: encodeBasePath(basePath),
  };
}

/** The port a call goes to. */
export function portOf(address: FunctionAddress, scheme: "http" | "https"): number {
  return address.port ?? standardPort(scheme);
}

/**
 * The `Host` a function receives: without the port, except for hosts that are neither an address nor a plain domain
 * name (one with `_`, say), which carry a port that is not the scheme's own (APISIX: generic-upstream).
 */
export function hostHeaderOf(address: FunctionAddress, scheme: "http" | "https"): string {
  if (isIPv6(address.host)) return `[${address.host}]`;
  if (isIP(address.host) !== 0 || PLAIN_HOST.test(address.host)) return address.host;
  return authorityOf(address, scheme);
}

/** Host, and port unless it is the scheme's own. */
export function authorityOf(address: FunctionAddress, scheme: "http" | "https"): string {
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  const port = portOf(address, scheme);
  return port === standardPort(scheme) ? host : `${host}:${port}`;
}

function standardPort(scheme: "http" | "https"): number {
  return scheme === "https" ? 443 : 80;
}

/** Lower case and without brackets; `undefined` for what no resolver takes. */
function parseHost(text: string): string | undefined {
  if (text.startsWith("[")) {
    const address = text.slice(1, -1).toLowerCase();
    return isIPv6(address) ? address : undefined;
  }
  return /^[\x21-\x7e]+$/.test(text) ? text.toLowerCase() : undefined;
}

/** Every segment decoded and encoded again, so that both spellings of a byte call the same path. */
function encodeBasePath(path: string): string {
  const bytes = Buffer.from(path, "utf8").toString("latin1");
  return bytes
    .split("/")
    .map((segment) => percentEncode(percentDecode(segment), PATH_KEPT))
    .join("/");
}

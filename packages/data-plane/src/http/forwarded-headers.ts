import { HeaderList } from "@fngate/kernel";

/** What the gateway itself saw of the request. */
export interface ObservedRequest {
  readonly scheme: "http" | "https";
  /** Host header as it came, port and case kept; empty when the request had none. */
  readonly rawHost: string;
  /** Host without port, for requests without Host header. */
  readonly host: string;
  readonly localPort: number;
}

/** Whose forwarding headers are believed. */
export interface ForwardedTrust {
  /** The TCP peer is in `trusted_addresses`. */
  readonly isPeerTrusted: boolean;
  /** There is such a list at all: then strangers lose their `X-Forwarded-For` too. */
  readonly hasTrustList: boolean;
}

const PROTO = "x-forwarded-proto";
const HOST = "x-forwarded-host";
const PORT = "x-forwarded-port";

/**
 * The request's fields with `X-Forwarded-Proto`, `-Host` and `-Port` telling the truth and `Forwarded` gone, before
 * any plugin sees them; a trusted peer's own non-empty values stay. Source: APISIX upstream, forwarding headers.
 */
export function withForwardedHeaders(
  rawHeaders: readonly string[],
  observed: ObservedRequest,
  trust: ForwardedTrust,
): HeaderList {
  const fields: string[] = [];
  const named = connectionNames(rawHeaders);
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    // Only names of these lengths can be of interest: most fields cost one comparison.
    const isCandidate = name.length === 9 || (name.length >= 15 && name.length <= 17);
    if (isCandidate && !isKept(name.toLowerCase(), value, trust)) continue;
    if (named?.has(name.toLowerCase()) !== true) fields.push(name, value);
  }
  const headers = new HeaderList(fields);
  const hasOwn = trust.isPeerTrusted;
  if (!(hasOwn && headers.has(PROTO))) fields.push("X-Forwarded-Proto", observed.scheme);
  if (!(hasOwn && headers.has(HOST))) fields.push("X-Forwarded-Host", observed.rawHost || observed.host);
  if (!(hasOwn && headers.has(PORT))) fields.push("X-Forwarded-Port", portOf(observed));
  return headers;
}

function isKept(lower: string, value: string, trust: ForwardedTrust): boolean {
  if (lower === PROTO || lower === HOST || lower === PORT || lower === "forwarded") {
    return trust.isPeerTrusted && value !== "";
  }
  if (lower === "x-forwarded-for") return trust.isPeerTrusted || !trust.hasTrustList;
  return true;
}

function portOf(observed: ObservedRequest): string {
  const { rawHost } = observed;
  const colon = rawHost.lastIndexOf(":");
  if (colon > rawHost.lastIndexOf("]") && colon < rawHost.length - 1) return rawHost.slice(colon + 1);
  return String(observed.localPort);
}

/** Options of `Connection` that are no field names, and `host`, which no client may take away. */
const NOT_NAMES: ReadonlySet<string> = new Set(["close", "keep-alive", "upgrade", "host", ""]);

/**
 * Fields that the client declares to be for this connection only. They go before a plugin adds fields of its own:
 * otherwise a client could name one of those and have it dropped (RFC 9110 section 7.6.1).
 */
function connectionNames(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    for (const option of (rawHeaders[index + 1] as string).split(",")) {
      const lower = option.trim().toLowerCase();
      if (NOT_NAMES.has(lower)) continue;
      names ??= new Set(["connection"]);
      names.add(lower);
    }
  }
  return names;
}

import { GatewayError } from "@fngate/kernel";
import { parseLuaNumber } from "./lua-number.ts";

/** etcd grants no longer lease than this many seconds. */
const MAX_TTL_SECONDS = 9_000_000_000;

/**
 * Reads `?ttl=` in seconds; undefined without one. Zero and less expire as soon as the store allows, as in APISIX.
 * Raises `REQUEST_INVALID`; for a fraction APISIX answers 503, but it is the client's mistake like any other.
 */
export function parseTtl(query: URLSearchParams): number | undefined {
  const text = query.get("ttl");
  if (text === null) return undefined;
  const seconds = parseLuaNumber(text);
  if (seconds === undefined) throw new GatewayError("REQUEST_INVALID", "invalid argument ttl: should be a number");
  if (!Number.isInteger(seconds)) throw new GatewayError("REQUEST_INVALID", "ttl must be integer");
  if (seconds > MAX_TTL_SECONDS) throw new GatewayError("REQUEST_INVALID", "invalid argument ttl: too large");
  return Math.max(1, seconds);
}

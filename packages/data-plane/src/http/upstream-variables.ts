import { seconds } from "../local-time.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import type { MeasuredAttempt } from "./exchange-trace.ts";
import { upstreamTarget } from "./upstream-request.ts";

/** nginx's way to list one value for each call of a node, and what stands for one that there is not. */
const SEPARATOR = ", ";
const NOTHING = "-";

/** Variables about the upstream that is called, under nginx's names. */
export const UPSTREAM_READERS: Readonly<Record<string, (context: ExchangeContext) => string | undefined>> = {
  balancer_ip: ({ upstreamAddress }) => partOf(upstreamAddress, 0),
  balancer_port: ({ upstreamAddress }) => partOf(upstreamAddress, 1),
  upstream_addr: addressesOf,
  upstream_status: ({ upstreamStatus }) => upstreamStatus || undefined,
  upstream_response_time: timesOf,
  upstream_connect_time: perAttempt(({ connectMs }) => inSeconds(connectMs)),
  upstream_header_time: perAttempt(({ headMs }) => inSeconds(headMs)),
  upstream_response_length: perAttempt(({ bodyBytes }) => String(bodyBytes)),
  upstream_bytes_received: perAttempt(({ receivedBytes }) => String(receivedBytes)),
  upstream_bytes_sent: perAttempt(({ sentBytes }) => String(sentBytes)),
  upstream_scheme: ({ upstreamScheme }) => upstreamScheme,
  upstream_host: upstreamHostOf,
  upstream_unresolved_host: ({ upstreamCall }) => upstreamCall?.node?.domain ?? upstreamCall?.node?.host,
  upstream_uri: upstreamUriOf,
};

/** The reader of a variable that has the name of a field behind a prefix; nothing for other names. */
export function upstreamFieldReader(name: string): ((context: ExchangeContext) => string | undefined) | undefined {
  const [, kind, rest = ""] = /^upstream_(http|cookie|trailer)_(.+)$/.exec(name) ?? [];
  const field = rest.toLowerCase().replaceAll("_", "-");
  if (kind === "http") return ({ trace }) => trace && valuesOf(trace.fields, field);
  if (kind === "trailer") return ({ trace }) => trace && valuesOf(trace.trailers, field);
  if (kind === "cookie") return ({ trace }) => trace && cookieOf(trace.fields, rest);
  return undefined;
}

/** The nodes that were called, in order; absent when none was. */
export function addressesOf(context: ExchangeContext): string | undefined {
  const { retryStarts, upstreamAddress } = context;
  if (retryStarts === undefined) return upstreamAddress || undefined;
  return context.attempts.map(({ address }) => address).join(SEPARATOR);
}

/** How long each of them took, seconds; absent when none was called. */
export function timesOf(context: ExchangeContext): string | undefined {
  const { retryStarts, timings } = context;
  if (timings.upstreamMs === undefined || context.upstreamStatus === "") return undefined;
  if (retryStarts === undefined) return seconds(timings.upstreamMs);
  return context.attempts.map(({ ms }) => seconds(ms)).join(SEPARATOR);
}

/** The host that the upstream was told, else what it would be told. */
export function upstreamHostOf({ overrides, upstreamCall, upstreamHost }: ExchangeContext): string {
  return upstreamCall === undefined ? (overrides?.host ?? upstreamHost) : upstreamHost;
}

/** Path and query for the upstream where a plugin put another path in place of the client's; else absent. */
export function upstreamUriOf(context: ExchangeContext): string | undefined {
  return context.overrides?.path === undefined ? undefined : upstreamTarget(context);
}

function perAttempt(show: (attempt: MeasuredAttempt) => string) {
  return ({ trace }: ExchangeContext): string | undefined => {
    if (trace === undefined || trace.attempts.length === 0) return undefined;
    return trace.attempts.map(show).join(SEPARATOR);
  };
}

function inSeconds(ms: number | undefined): string {
  return ms === undefined ? NOTHING : seconds(ms);
}

/** Host (0) or port (1) of `host:port`. */
function partOf(address: string, part: 0 | 1): string | undefined {
  const colon = address.lastIndexOf(":");
  if (colon < 0) return undefined;
  return part === 0 ? address.slice(0, colon) : address.slice(colon + 1);
}

function valuesOf(fields: readonly string[], name: string): string | undefined {
  const values = fields.filter((_, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(SEPARATOR);
}

/** The value that the upstream sets a cookie to; the last one counts. */
function cookieOf(fields: readonly string[], name: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]?.toLowerCase() !== "set-cookie") continue;
    const [pair = ""] = (fields[index + 1] ?? "").split(";");
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) found = pair.slice(equals + 1).trim();
  }
  return found;
}

import { randomUUID } from "node:crypto";
import type { Variables } from "@fngate/plugin-kit";
import { createLocalTime, isoTime } from "../local-time.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import type { RequestVariables } from "./request-variables.ts";
import { upstreamTarget } from "./upstream-request.ts";

type Reader = (context: ExchangeContext) => unknown;

const localTime = createLocalTime();

/** Variables that are about more than the request; those about the answer have their last value in the log phase. */
const READERS: Readonly<Record<string, Reader>> = {
  route_id: ({ route }) => route?.id,
  route_name: ({ route }) => route?.name,
  service_id: ({ route }) => route?.serviceId,
  service_name: ({ route }) => route?.serviceName,
  matched_uri: ({ route }) => route?.uri,
  matched_host: ({ route }) => route?.host || undefined,
  consumer_name: ({ consumer }) => consumer?.name,
  consumer_group_id: ({ consumer }) => consumer?.groupId,
  credential_id: ({ consumer }) => consumer?.credentialId,
  status: ({ response }) => (response.status === 0 ? undefined : String(response.status)),
  response_source: ({ response }) => response.source,
  failure_reason: ({ failureReason }) => failureReason,
  body_bytes_sent: ({ bytesSent }) => String(bytesSent),
  bytes_sent: ({ traffic }) => String(traffic.sentBytes),
  request_length: ({ traffic }) => String(traffic.receivedBytes),
  request_time: ({ timings }) => inSeconds(timings.totalMs),
  msec: ({ timings }) => inSeconds(timings.startedAtMs + timings.totalMs),
  time_iso8601: ({ timings }) => isoTime(timings.startedAtMs + timings.totalMs),
  time_local: ({ timings }) => localTime(timings.startedAtMs + timings.totalMs),
  balancer_ip: ({ upstreamAddress }) => partOf(upstreamAddress, 0),
  balancer_port: ({ upstreamAddress }) => partOf(upstreamAddress, 1),
  upstream_addr: (context) => addressesOf(context) || undefined,
  upstream_status: ({ upstreamStatus }) => upstreamStatus || undefined,
  upstream_response_time: (context) => timesOf(context),
  upstream_scheme: ({ upstreamScheme }) => upstreamScheme,
  upstream_host: ({ overrides, upstreamHost }) => overrides?.host ?? upstreamHost,
  upstream_unresolved_host: ({ upstreamCall }) => upstreamCall?.node?.domain ?? upstreamCall?.node?.host,
  upstream_uri: (context) => (context.overrides?.path === undefined ? undefined : upstreamTarget(context)),
};

/** Variables that stay the same once read. */
const ONCE: Readonly<Record<string, () => string>> = {
  apisix_request_id: () => randomUUID(),
};

/** All variables of a request, from those that plugins set to those of the client's head. */
export class ExchangeVariables implements Variables {
  readonly #context: ExchangeContext;
  readonly #request: RequestVariables;
  #own: Map<string, unknown> | undefined;

  constructor(context: ExchangeContext, request: RequestVariables) {
    this.#context = context;
    this.#request = request;
  }

  get(name: string): unknown {
    if (this.#own?.has(name) === true) return this.#own.get(name);
    if (Object.hasOwn(READERS, name)) return READERS[name]?.(this.#context);
    if (name.startsWith("sent_http_")) return this.#sentField(name.slice("sent_http_".length));
    if (name.startsWith("uri_param_")) return this.#context.route?.params?.[name.slice("uri_param_".length)];
    if (Object.hasOwn(ONCE, name)) return this.#makeOnce(name);
    return this.#request.get(name);
  }

  set(name: string, value: unknown): void {
    this.#own ??= new Map();
    this.#own.set(name, value);
  }

  #sentField(name: string): string | undefined {
    const values = this.#context.response.headers.getAll(name.replaceAll("_", "-"));
    return values.length === 0 ? undefined : values.join(", ");
  }

  #makeOnce(name: string): unknown {
    const value = ONCE[name]?.();
    this.set(name, value);
    return value;
  }
}

function inSeconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Host (0) or port (1) of `host:port`. */
function partOf(address: string, part: 0 | 1): string | undefined {
  const colon = address.lastIndexOf(":");
  if (colon < 0) return undefined;
  return part === 0 ? address.slice(0, colon) : address.slice(colon + 1);
}

function addressesOf(context: ExchangeContext): string {
  const { retryStarts, upstreamAddress } = context;
  return retryStarts === undefined ? upstreamAddress : context.attempts.map(({ address }) => address).join(", ");
}

function timesOf(context: ExchangeContext): string | undefined {
  const { retryStarts, timings } = context;
  if (timings.upstreamMs === undefined || context.upstreamStatus === "") return undefined;
  if (retryStarts === undefined) return inSeconds(timings.upstreamMs);
  return context.attempts.map(({ ms }) => inSeconds(ms)).join(", ");
}

import type { Variables } from "@fngate/plugin-kit";
import { createLocalTime, isoTime, seconds } from "../local-time.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import type { RequestVariables } from "./request-variables.ts";
import { UPSTREAM_READERS, upstreamFieldReader } from "./upstream-variables.ts";

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
  request_completion: ({ isComplete }) => (isComplete ? "OK" : ""),
  request_time: ({ timings }) => seconds(timings.totalMs),
  msec: ({ timings }) => seconds(timings.startedAtMs + timings.totalMs),
  time_iso8601: ({ timings }) => isoTime(timings.startedAtMs + timings.totalMs),
  time_local: ({ timings }) => localTime(timings.startedAtMs + timings.totalMs),
  ...UPSTREAM_READERS,
};

/** Variables whose last part is the name of something. */
const FAMILY = /^(?:sent_http|upstream_http|upstream_cookie|upstream_trailer|uri_param)_./;

/** The reader of a variable that is about more than the request; nothing for others. */
export function exchangeReader(name: string): Reader | undefined {
  if (Object.hasOwn(READERS, name)) return READERS[name];
  if (!FAMILY.test(name)) return undefined;
  if (name.startsWith("uri_param_")) {
    const parameter = name.slice("uri_param_".length);
    return ({ route }) => route?.params?.[parameter];
  }
  if (!name.startsWith("sent_http_")) return upstreamFieldReader(name);
  const field = name.slice("sent_http_".length).replaceAll("_", "-");
  return ({ response }) => {
    const values = response.headers.getAll(field);
    return values.length === 0 ? undefined : values.join(", ");
  };
}

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
    const read = exchangeReader(name);
    if (read !== undefined) return read(this.#context);
    // APISIX gives it this value before a plugin does.
    return this.#request.get(name === "apisix_request_id" ? "request_id" : name);
  }

  set(name: string, value: unknown): void {
    this.#own ??= new Map();
    this.#own.set(name, value);
  }
}

import { GatewayError } from "@fngate/kernel";
import { textOf } from "@fngate/plugin-kit";
import { escaped, requestLine, seconds } from "./access-log.ts";
import type { ExchangeContext } from "./http/exchange-context.ts";
import { isHeadVariable } from "./http/request-variables.ts";
import { createLocalTime, isoTime } from "./local-time.ts";

type Reader = (context: ExchangeContext) => string | undefined;

/** Variables that are about the exchange and not only about the request. */
const READERS: Readonly<Record<string, Reader>> = {
  time_iso8601: (context) => isoTime(endOf(context)),
  msec: (context) => (endOf(context) / 1000).toFixed(3),
  request: requestLine,
  request_method: (context) => context.clientMethod,
  request_uri: ({ request }) => request.rawTarget,
  status: ({ response }) => String(response.status),
  body_bytes_sent: ({ bytesSent }) => String(bytesSent),
  failure_reason: ({ failureReason }) => failureReason,
  request_time: ({ timings }) => seconds(timings.totalMs),
  upstream_addr: ({ upstreamAddress }) => upstreamAddress,
  upstream_status: ({ upstreamStatus }) => upstreamStatus,
  upstream_response_time: ({ timings }) => (timings.upstreamMs === undefined ? undefined : seconds(timings.upstreamMs)),
  upstream_scheme: ({ upstreamScheme }) => upstreamScheme,
  upstream_host: ({ upstreamHost }) => upstreamHost,
};

/** Variables that plugins set (APISIX: `set_ngx_var` of the tracers). */
const PLUGIN_VARIABLES: ReadonlySet<string> = new Set([
  ...["opentelemetry_context_traceparent", "opentelemetry_trace_id", "opentelemetry_span_id"],
  ...["zipkin_context_traceparent", "zipkin_trace_id", "zipkin_span_id"],
]);

/**
 * Compiles a template such as `$remote_addr "$request" $status` (APISIX: `nginx_config.http.access_log_format`); the
 * renderer adds the line feed. Absent values are `-`. Raises `CONFIG_INVALID` for a variable that is not known.
 */
export function compileAccessLogTemplate(template: string): (context: ExchangeContext) => string {
  const parts = template.split(/\$(?:\{(\w+)\}|(\w+))/);
  const steps: ((context: ExchangeContext) => string)[] = [];
  for (let index = 0; index < parts.length; index += 3) {
    const text = parts[index] ?? "";
    if (text !== "") steps.push(() => text);
    const name = parts[index + 1] ?? parts[index + 2];
    if (name !== undefined) steps.push(variable(name));
  }
  return (context) => `${steps.map((step) => step(context)).join("")}\n`;
}

function variable(name: string): (context: ExchangeContext) => string {
  if (name === "time_local") {
    const localTime = createLocalTime();
    return (context) => localTime(endOf(context));
  }
  // Only a rewritten path would be in it, and it is empty, not absent, without one.
  if (name === "upstream_uri") return () => "";
  const read = readerOf(name);
  if (read === undefined) {
    throw new GatewayError("CONFIG_INVALID", `nginx_config.http.access_log_format: unknown variable $${name}`);
  }
  return (context) => escaped(read(context));
}

function readerOf(name: string): Reader | undefined {
  if (Object.hasOwn(READERS, name)) return READERS[name];
  if (name.startsWith("sent_http_")) {
    const field = name.slice("sent_http_".length).replaceAll("_", "-");
    return ({ response }) => response.headers.get(field);
  }
  if (PLUGIN_VARIABLES.has(name)) return ({ variables }) => textOf(variables.get(name));
  if (!isHeadVariable(name)) return undefined;
  return ({ requestVariables }) => {
    const value = requestVariables.get(name);
    return typeof value === "string" ? value : undefined;
  };
}

function endOf({ timings }: ExchangeContext): number {
  return timings.startedAtMs + timings.totalMs;
}

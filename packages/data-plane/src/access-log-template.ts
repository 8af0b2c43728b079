import { GatewayError } from "@fngate/kernel";
import { textOf } from "@fngate/plugin-kit";
import { requestLine } from "./access-log.ts";
import { isTlsVariable } from "./http/client-tls.ts";
import type { ExchangeContext } from "./http/exchange-context.ts";
import { exchangeReader } from "./http/exchange-variables.ts";
import { isHeadVariable } from "./http/request-variables.ts";
import { escapeJson, escapeText, plainText } from "./log-text.ts";
import { constantVariable, isKnownWithoutValue } from "./nginx-variables.ts";
import type { AccessLogEscape } from "./options.ts";

type Reader = (context: ExchangeContext) => unknown;

/** A compiled template. */
export interface AccessLogTemplate {
  /** One finished request as one line, line feed included. */
  readonly render: (context: ExchangeContext) => string;
  /** Variables that are known and never have a value here, as often as they are named. */
  readonly withoutValue: readonly string[];
  /** Whether a variable is about what only an `ExchangeTrace` measures. */
  readonly isTraced: boolean;
}

/** Variables that mean another thing in the log than to plugins: the request as the client sent it. */
const READERS: Readonly<Record<string, Reader>> = {
  request: requestLine,
  request_method: (context) => context.clientMethod,
  request_uri: ({ request }) => request.rawTarget,
  args: ({ request }) => request.sentQuery || undefined,
  query_string: ({ request }) => request.sentQuery || undefined,
  status: ({ response }) => String(response.status),
  upstream_uri: (context) => exchangeReader("upstream_uri")?.(context) ?? "",
};

/** Variables that plugins set (APISIX: `set_ngx_var` of the tracers, `request-id`). */
const PLUGIN_VARIABLES: ReadonlySet<string> = new Set([
  ...["opentelemetry_context_traceparent", "opentelemetry_trace_id", "opentelemetry_span_id"],
  ...["zipkin_context_traceparent", "zipkin_trace_id", "zipkin_span_id", "apisix_request_id"],
]);

const TRACED =
  /^upstream_(?:connect_time|header_time|response_length|bytes_received|bytes_sent|(?:http|cookie|trailer)_.+)$/;

/** What each way of escaping writes for a value, and for none (nginx: `log_format`, `escape`). */
const ESCAPES: Readonly<
  Record<AccessLogEscape, { readonly write: (text: string) => string; readonly absent: string }>
> = {
  default: { write: escapeText, absent: "-" },
  json: { write: escapeJson, absent: "" },
  none: { write: plainText, absent: "" },
};

/**
 * Compiles a template such as `$remote_addr "$request" $status` (APISIX: `nginx_config.http.access_log_format`); the
 * renderer adds the line feed. A variable of nginx that has no value here is written as an absent one. Raises
 * `CONFIG_INVALID` for a variable that nobody knows.
 */
export function compileAccessLogTemplate(template: string, escaping: AccessLogEscape = "default"): AccessLogTemplate {
  const { absent, write } = ESCAPES[escaping];
  const parts = template.split(/\$(?:\{(\w+)\}|(\w+))/);
  const names: string[] = [];
  const steps: ((context: ExchangeContext) => string)[] = [];
  for (let index = 0; index < parts.length; index += 3) {
    const text = parts[index] ?? "";
    if (text !== "") steps.push(() => text);
    const name = parts[index + 1] ?? parts[index + 2];
    if (name === undefined) continue;
    names.push(name);
    const read = readerOf(name);
    steps.push(read === undefined ? () => absent : (context) => writeValue(read(context)));
  }
  const writeValue = (value: unknown): string => {
    const text = textOf(value);
    return text === undefined ? absent : write(text);
  };
  return {
    render: (context) => `${steps.map((step) => step(context)).join("")}\n`,
    withoutValue: names.filter((name) => readerOf(name) === undefined),
    isTraced: names.some((name) => TRACED.test(name)),
  };
}

/** What a start would warn of and raise for a template, without one: variables that have no value here. */
export function checkAccessLogTemplate(template: string): readonly string[] {
  return compileAccessLogTemplate(template).withoutValue;
}

/** Nothing for a variable without value. */
function readerOf(name: string): Reader | undefined {
  if (Object.hasOwn(READERS, name)) return READERS[name];
  if (PLUGIN_VARIABLES.has(name)) return ({ variables }) => variables.get(name);
  const read = exchangeReader(name) ?? headReader(name);
  if (read !== undefined) return read;
  const constant = constantVariable(name);
  if (constant !== undefined) return () => constant;
  if (isKnownWithoutValue(name) || name.startsWith("ssl_")) return undefined;
  throw new GatewayError("CONFIG_INVALID", `nginx_config.http.access_log_format: unknown variable $${name}`);
}

function headReader(name: string): Reader | undefined {
  const isKnown = name.startsWith("ssl_") ? isTlsVariable(name.slice("ssl_".length)) : isHeadVariable(name);
  if (!isKnown) return undefined;
  return ({ requestVariables }) => {
    const value = requestVariables.get(name);
    // An argument without `=` is there, and has no value.
    return value === true ? "" : value;
  };
}

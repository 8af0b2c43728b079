import { textOf } from "@fngate/plugin-kit";
import type { ExchangeContext } from "./http/exchange-context.ts";
import { remoteUserOf } from "./http/remote-user.ts";
import { addressesOf, timesOf, upstreamHostOf, upstreamUriOf } from "./http/upstream-variables.ts";
import { createLocalTime, seconds } from "./local-time.ts";
import { escapeText } from "./log-text.ts";
import type { AccessLogFormat } from "./options.ts";

/** Renders one finished request as one line, line feed included. */
export type AccessLogRenderer = (context: ExchangeContext) => string;

/** The renderer of a format: APISIX's default line, or the same facts as a JSON object. */
export function createAccessLogRenderer(format: AccessLogFormat): AccessLogRenderer {
  return format === "json" ? renderJson : createTextRenderer();
}

function createTextRenderer(): AccessLogRenderer {
  const localTime = createLocalTime();
  return (context) => {
    const { request, response, timings } = context;
    const { headers } = request;
    const end = timings.startedAtMs + timings.totalMs;
    const upstream = `${context.upstreamScheme}://${upstreamHostOf(context)}${upstreamUriOf(context) ?? ""}`;
    return (
      `${request.remoteAddress} - ${escaped(remoteUserOf(headers))} [${localTime(end)}] ${escaped(request.rawHost)} ` +
      `"${escaped(requestLine(context))}" ${response.status} ${context.bytesSent} ${seconds(timings.totalMs)} ` +
      `"${escaped(headers.get("referer"))}" "${escaped(headers.get("user-agent"))}" ` +
      `${addressesOf(context) ?? "-"} ${context.upstreamStatus || "-"} ${timesOf(context) ?? "-"} ` +
      `"${escaped(upstream)}" "${escaped(textOf(context.variables.get("apisix_request_id")))}"\n`
    );
  };
}

const renderJson: AccessLogRenderer = (context) => {
  const { request, response, route, timings } = context;
  const record = {
    time: new Date(timings.startedAtMs).toISOString(),
    remote_addr: request.remoteAddress,
    host: request.rawHost,
    method: context.clientMethod,
    uri: request.rawTarget,
    protocol: `HTTP/${request.httpVersion}`,
    status: response.status,
    source: response.source,
    route_id: route?.id,
    service_id: route?.serviceId,
    body_bytes_sent: context.bytesSent,
    request_time: timings.totalMs / 1000,
    reason: context.failureReason,
    upstream_addr: addressesOf(context),
    upstream_status: context.upstreamStatus || undefined,
    upstream_response_time: timings.upstreamMs === undefined ? undefined : timings.upstreamMs / 1000,
    referer: request.headers.get("referer"),
    user_agent: request.headers.get("user-agent"),
  };
  return `${JSON.stringify(record)}\n`;
};

/** nginx's `$request`. */
export function requestLine(context: ExchangeContext): string {
  return `${context.clientMethod} ${context.request.rawTarget} HTTP/${context.request.httpVersion}`;
}

/** {@link escapeText}; absent or empty: `-`. */
export function escaped(text: string | undefined): string {
  return text === undefined || text === "" ? "-" : escapeText(text);
}

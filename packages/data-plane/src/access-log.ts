import type { ExchangeContext } from "./http/exchange-context.ts";
import { remoteUserOf } from "./http/remote-user.ts";
import { createLocalTime } from "./local-time.ts";
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
    const upstream = `${context.upstreamScheme}://${context.upstreamHost}`;
    return (
      `${request.remoteAddress} - ${escaped(remoteUserOf(headers))} [${localTime(end)}] ${escaped(request.rawHost)} ` +
      `"${escaped(requestLine(context))}" ${response.status} ${context.bytesSent} ${seconds(timings.totalMs)} ` +
      `"${escaped(headers.get("referer"))}" "${escaped(headers.get("user-agent"))}" ` +
      `${context.upstreamAddress || "-"} ${context.upstreamStatus || "-"} ` +
      `${timings.upstreamMs === undefined || context.upstreamStatus === "" ? "-" : seconds(timings.upstreamMs)} ` +
      `"${escaped(upstream)}"\n`
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
    upstream_addr: context.upstreamAddress || undefined,
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

/** The decimals of a number of seconds, by milliseconds: a look-up costs a sixth of `toFixed`. */
const DECIMALS = Array.from({ length: 1000 }, (_, ms) => `.${String(ms).padStart(3, "0")}`);

/** Milliseconds as nginx writes times: seconds with three decimals. */
export function seconds(ms: number): string {
  const whole = Math.round(ms);
  return `${Math.floor(whole / 1000)}${DECIMALS[whole % 1000]}`;
}

/**
 * A client's text, harmless inside a line: quotes, backslashes, control characters and everything beyond ASCII as
 * `\xHH`, as nginx writes them, so that nobody writes log lines by sending requests. Absent or empty: `-`.
 */
export function escaped(text: string | undefined): string {
  if (text === undefined || text === "") return "-";
  if (!NEEDS_ESCAPE.test(text)) return text;
  return [...Buffer.from(text, "latin1")].map(escapeByte).join("");
}

const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

function escapeByte(byte: number): string {
  const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

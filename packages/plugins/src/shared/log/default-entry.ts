import type { LogContext, ServerPort } from "@fngate/plugin-kit";
import type { LogEntry } from "./log-format.ts";
import type { LoggedBodies } from "./logged-bodies.ts";
import { readableText } from "./readable-text.ts";
import { argumentsByName, fieldsByName } from "./values-by-name.ts";

/** What is logged without a format (APISIX: default log entry). Times are in milliseconds. */
export function defaultEntry(context: LogContext, bodies: LoggedBodies, server: ServerPort): LogEntry {
  const { consumer, request, route, timings, variables } = context;
  const upstreamMs = timings.upstreamMs === undefined ? undefined : inMs(timings.upstreamMs);
  return {
    request: requestOf(context, bodies.request),
    response: {
      status: context.response.status,
      headers: fieldsByName(context.response.headers.raw),
      size: context.traffic.sentBytes,
      ...(bodies.response !== undefined && { body: bodies.response }),
    },
    server: { hostname: server.hostname, version: server.version },
    upstream: variables.get("upstream_addr"),
    service_id: route === undefined ? request.host : (route.serviceId ?? ""),
    route_id: route?.id,
    consumer: consumer && { username: consumer.name },
    client_ip: request.remoteAddress,
    start_time: timings.startedAtMs,
    latency: inMs(timings.totalMs),
    upstream_latency: upstreamMs,
    apisix_latency: inMs(Math.max(0, timings.totalMs - (upstreamMs ?? 0))),
  };
}

function requestOf({ request, traffic, variables }: LogContext, body: string | undefined): LogEntry {
  const uri = readableText(String(variables.get("request_uri") ?? ""));
  return {
    url: `${request.scheme}://${request.host}:${request.localPort}${uri}`,
    uri,
    method: request.method,
    headers: fieldsByName(request.headers.raw),
    querystring: argumentsByName(request.query),
    size: traffic.receivedBytes,
    ...(body !== undefined && { body }),
  };
}

/** To the microsecond. */
function inMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

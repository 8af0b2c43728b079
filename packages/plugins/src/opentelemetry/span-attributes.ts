import type { LogContext, RequestContext } from "@fngate/plugin-kit";
import { textOf } from "@fngate/plugin-kit";
import type { Attributes } from "@opentelemetry/api";
import { responseSourceOf } from "../shared/response-source.ts";
import type { OpentelemetryConfig } from "./schema.ts";

/** What a span says about the request when it begins, under old and new names (APISIX: opentelemetry). */
export function requestAttributes({ request, route }: RequestContext): Attributes {
  const { headers, host, method, path, rawTarget, scheme } = request;
  const userAgent = headers.get("user-agent");
  return {
    "net.host.name": host,
    "http.method": method,
    "http.scheme": scheme,
    "http.target": rawTarget,
    "http.user_agent": userAgent,
    "http.request.method": method,
    "url.scheme": scheme,
    "url.path": path,
    "user_agent.original": userAgent,
    "http.route": route?.uri,
    "apisix.route_id": route?.id,
    "apisix.route_name": route?.name,
    "apisix.service_id": route?.serviceId,
    "apisix.service_name": route?.serviceName,
  };
}

/** What a span says when the answer is out. */
export function answerAttributes(context: LogContext, config: OpentelemetryConfig): Attributes {
  const { status } = context.response;
  return {
    "apisix.response_source": responseSourceOf(context),
    "http.status_code": status,
    "http.response.status_code": status,
    ...variableAttributes(context, config.additional_attributes ?? []),
    ...fieldAttributes(context, config.additional_header_prefix_attributes ?? []),
  };
}

function variableAttributes({ variables }: LogContext, names: readonly string[]): Attributes {
  const attributes: Attributes = {};
  for (const name of names) {
    const value = variables.get(name);
    const text = Array.isArray(value) ? value.join(", ") : textOf(value);
    if (text !== undefined) attributes[name] = text;
  }
  return attributes;
}

function fieldAttributes({ request: { headers } }: LogContext, patterns: readonly string[]): Attributes {
  const attributes: Attributes = {};
  for (const pattern of patterns) {
    const prefix = pattern.length > 1 && pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
    for (const name of prefix === undefined ? [pattern] : namesWith(headers.raw, prefix)) {
      const values = headers.getAll(name.toLowerCase());
      if (values.length > 0) attributes[name] = values.join(", ");
    }
  }
  return attributes;
}

/** Lower-case names of fields that begin so. */
function namesWith(fields: readonly string[], prefix: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (let index = 0; index < fields.length; index += 2) {
    const name = (fields[index] as string).toLowerCase();
    if (name.startsWith(prefix)) names.add(name);
  }
  return names;
}

import type { RequestContext } from "@fngate/plugin-kit";
import { addValue } from "../shared/repeated-values.ts";
import type { OpaConfig } from "./schema.ts";

/** What the decision is made from (APISIX: opa, `input`). */
export function inputOf(config: OpaConfig, context: RequestContext, nowMs: number): Record<string, unknown> {
  const { consumer, request, route, variables } = context;
  const { localPort: port } = request;
  const input: Record<string, unknown> = {
    type: "http",
    request: {
      scheme: request.scheme,
      method: request.method,
      host: request.host,
      port,
      path: request.path,
      headers: collect(fieldsOf(request.headers.raw)),
      query: collect([...new URLSearchParams(request.query)]),
    },
    var: {
      server_addr: variables.get("server_addr"),
      server_port: String(port),
      remote_addr: request.remoteAddress,
      remote_port: variables.get("remote_port"),
      timestamp: Math.floor(nowMs / 1000),
    },
  };
  if (config.with_route && route !== undefined) {
    input["route"] = { id: route.id, name: route.name, uri: route.uri, service_id: route.serviceId };
  }
  if (config.with_service && route?.serviceId !== undefined) input["service"] = { id: route.serviceId };
  if (config.with_consumer && consumer !== undefined) {
    input["consumer"] = { username: consumer.name, group_id: consumer.groupId, labels: consumer.labels };
  }
  return input;
}

function fieldsOf(raw: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) {
    fields.push([(raw[index] as string).toLowerCase(), raw[index + 1] as string]);
  }
  return fields;
}

/** Values by name; a repeated name has a list. */
function collect(pairs: readonly (readonly [string, string])[]): Record<string, string | string[]> {
  const values = new Map<string, string | string[]>();
  for (const [name, value] of pairs) addValue(values, name, value);
  return Object.fromEntries(values);
}

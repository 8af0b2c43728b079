import { z } from "zod";
import { defineResource } from "../definition.ts";
import { expressionProblem } from "../expression-check.ts";
import { closedObject, listOf } from "../fields/container.ts";
import { integer } from "../fields/integer.ts";
import { allOf, anyOfRequired, atMostOneOf, noneOfRequired, oneOfRequired } from "../fields/rules.ts";
import { host, hosts, id, ip, metadata, method, plugins, script, status, timeout } from "../fields/shared.ts";
import { text } from "../fields/text.ts";
import { upstream } from "../fields/upstream.ts";
import { postArgumentProblem } from "../post-arg-check.ts";
import { clientCertificateOf } from "../references.ts";
import { upstreamProblem } from "../upstream-check.ts";

const schema = closedObject(
  {
    ...metadata,
    uri: text({ min: 1, max: 4096 }).optional(),
    uris: listOf(text(), { min: 1, isUnique: true }).optional(),
    priority: integer().default(0),
    methods: listOf(method, { isUnique: true }).optional(),
    host: host.optional(),
    hosts: hosts.optional(),
    remote_addr: ip.optional(),
    remote_addrs: listOf(ip, { min: 1, isUnique: true }).optional(),
    timeout: timeout.optional(),
    vars: listOf(z.unknown()).optional(),
    filter_func: text({ min: 10, pattern: "^function" }).optional(),
    script: script.optional(),
    script_id: id.optional(),
    plugins: plugins.optional(),
    plugin_config_id: id.optional(),
    upstream: upstream.optional(),
    service_id: id.optional(),
    upstream_id: id.optional(),
    enable_websocket: z.boolean().optional(),
    status,
  },
  allOf(oneOfRequired(["uri"], ["uris"]), atMostOneOf("host", "hosts"), atMostOneOf("remote_addr", "remote_addrs")),
  anyOfRequired(
    ["plugins", "uri"],
    ["upstream", "uri"],
    ["upstream_id", "uri"],
    ["service_id", "uri"],
    ["plugins", "uris"],
    ["upstream", "uris"],
    ["upstream_id", "uris"],
    ["service_id", "uris"],
    ["script", "uri"],
    ["script", "uris"],
  ),
  noneOfRequired(["script", "plugins"], ["script", "plugin_config_id"]),
);

/** What matches requests and says where they go. APISIX: route. */
export const route = defineResource({
  kind: "route",
  plural: "routes",
  label: "route",
  schema,
  methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  plugins: "main",
  references: [
    clientCertificateOf("upstream"),
    { path: ["upstream_id"], kind: "upstream" },
    { path: ["service_id"], kind: "service" },
    { path: ["plugin_config_id"], kind: "plugin_config" },
  ],
  secretFields: ["upstream.tls.client_key"],
  precheck: (value) => bothProblem(value, "host", "hosts") ?? bothProblem(value, "remote_addr", "remote_addrs"),
  check: ({ upstream: embedded }) => (embedded === undefined ? undefined : upstreamProblem(embedded)),
  lateCheck: ({ vars }) => (vars === undefined ? undefined : (expressionProblem(vars) ?? postArgumentProblem(vars))),
});

/** Lua's truth decides: `false` counts as absent, `null` does not. */
function bothProblem(value: Readonly<Record<string, unknown>>, one: string, many: string): string | undefined {
  const isSet = (name: string) => value[name] !== undefined && value[name] !== false;
  return isSet(one) && isSet(many) ? `only one of ${one} or ${many} is allowed` : undefined;
}

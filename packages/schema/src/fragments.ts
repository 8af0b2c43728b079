import { z } from "zod";
import { listOf, openObject } from "./fields/container.ts";
import { integer } from "./fields/integer.ts";
import { host, id, ip, labelValue, method, uri } from "./fields/shared.ts";
import { text } from "./fields/text.ts";
import { activeChecks, checks, hashHeader, hashVariable, passiveChecks } from "./fields/upstream.ts";
import { schemaToJson } from "./json-schema.ts";
import { pluginMeta } from "./plugin-check.ts";

/** How APISIX marks what it adds to a plugin's schema; clients may look for it. */
export const INJECTION_MARK = "this is a mark for our injected plugin schema";

const pluginList = listOf(openObject({ name: text({ min: 1 }), stream: z.boolean().optional() }));

const discoveryNodes = listOf(
  openObject({
    host: z.unknown(),
    port: integer({ min: 1, max: 65_535 }).optional(),
    weight: integer({ min: 0 }),
    priority: integer().optional(),
    metadata: openObject({}).optional(),
  }),
);

const FRAGMENTS: ReadonlyMap<string, () => object> = new Map<string, () => object>([
  ["anonymous_consumer_schema", () => plain(text({ min: 1 }))],
  ["discovery_nodes", () => plain(discoveryNodes)],
  ["health_checker", () => plain(checks)],
  ["health_checker_active", () => plain(activeChecks)],
  ["health_checker_passive", () => plain(passiveChecks)],
  ["host_def", () => plain(host)],
  ["id_schema", () => plain(id)],
  ["ip_def", () => plain(ip).anyOf ?? []],
  ["label_value_def", () => plain(labelValue)],
  ["method_schema", () => plain(method)],
  ["plugin_injected_schema", () => ({ $comment: INJECTION_MARK, _meta: plain(pluginMeta) })],
  ["plugins", () => plain(pluginList)],
  ["upstream_hash_header_schema", () => plain(hashHeader)],
  ["upstream_hash_vars_combinations_schema", () => plain(text())],
  ["upstream_hash_vars_schema", () => plain(hashVariable)],
  ["uri_def", () => plain(uri)],
]);

/**
 * The part of APISIX's schemas that has a name of its own, as JSON Schema (draft 7); nothing for other names. Source:
 * APISIX Admin API, `GET /schema/<name>`.
 */
export function schemaFragment(name: string): object | undefined {
  return FRAGMENTS.get(name)?.();
}

function plain(schema: z.ZodType) {
  const { $schema: _dialect, ...json } = schemaToJson(schema);
  return json;
}

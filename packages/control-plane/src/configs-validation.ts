import { GatewayError, isGatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import type { ResourceDefinition } from "@fngate/schema";
import type { AdminHandler } from "./admin-request.ts";
import { isJsonObject, type JsonObject, memberOf } from "./json.ts";
import { assertValidAlone } from "./resource-check.ts";

/** Resource names a document may hold; others are ignored, and so are the entries of `plugins`, as in APISIX. */
const CHECKED_NAMES = [
  "routes",
  "services",
  "upstreams",
  "consumers",
  "ssls",
  "global_rules",
  "plugin_configs",
  "consumer_groups",
  "plugin_metadata",
  "protos",
  "stream_routes",
  "secrets",
] as const;

/** One problem of a document; `index` counts from 0. */
interface Problem {
  readonly resource_type: string;
  readonly resource_id?: unknown;
  readonly index?: number;
  readonly error: string;
}

/**
 * `POST /configs/validate`: checks a whole configuration without storing it and lists every problem. References are
 * not checked, as what they name may be in the same document. Objects of a kind that is not served are problems,
 * not passed over. Source: APISIX Admin API, configs/validate.
 */
export function configsValidation(definitions: readonly ResourceDefinition[], catalog: PluginCatalog): AdminHandler {
  const byPlural = new Map(definitions.map((definition) => [definition.plural, definition]));
  return ({ body }) => {
    if (body === undefined) throw new GatewayError("REQUEST_INVALID", "invalid request body: empty request body");
    const document = body.value;
    if (!isJsonObject(document)) {
      throw new GatewayError("REQUEST_INVALID", "invalid request body: expected an object");
    }
    const errors = CHECKED_NAMES.flatMap((name) => [
      ...versionProblems(name, document),
      ...itemProblems(name, memberOf(document, name), (item) => problemOf(byPlural.get(name), item, { name, catalog })),
    ]);
    if (errors.length === 0) return { status: 200, body: {} };
    return { status: 400, body: { error_msg: "Configuration validation failed", errors } };
  };
}

function versionProblems(name: string, document: JsonObject): Problem[] {
  const version = memberOf(document, `${name}_conf_version`);
  if (version === undefined || typeof version === "number") return [];
  const type = version === null ? "userdata" : typeof version === "object" ? "table" : typeof version;
  return [{ resource_type: name, error: `${name}_conf_version must be a number, got ${type}` }];
}

function itemProblems(name: string, items: unknown, check: (item: unknown) => string | undefined): Problem[] {
  if (items === undefined) return [];
  if (!Array.isArray(items)) {
    const isEmpty = isJsonObject(items) && Object.keys(items).length === 0;
    return isEmpty ? [] : [{ resource_type: name, error: `${name} must be an array` }];
  }
  const seen = new Set<string>();
  return items.flatMap((item: unknown, index) => {
    const id = idOf(item);
    const key = String(id);
    const errors = [check(item), seen.has(key) ? `found duplicate id ${key} in ${name}` : undefined];
    if (id !== "") seen.add(key);
    return errors.flatMap((error) =>
      error === undefined ? [] : { resource_type: name, resource_id: id, index, error },
    );
  });
}

function problemOf(
  definition: ResourceDefinition | undefined,
  item: unknown,
  { name, catalog }: { readonly name: string; readonly catalog: PluginCatalog },
): string | undefined {
  if (definition === undefined) return `Unsupported resource type: ${name}`;
  if (!isJsonObject(item)) return "invalid configuration: wrong type: expected object";
  try {
    assertValidAlone(definition, item, catalog);
    return undefined;
  } catch (error) {
    if (isGatewayError(error, "RESOURCE_INVALID")) return error.message;
    throw error;
  }
}

/** What a client finds its object by; empty when it has neither. */
function idOf(item: unknown): string | number {
  if (!isJsonObject(item)) return "";
  const id = memberOf(item, "id") ?? memberOf(item, "username");
  return typeof id === "string" || typeof id === "number" ? id : "";
}

import { GatewayError, isGatewayError } from "@fngate/kernel";
import { byUrlOrBody, type ResourceDefinition } from "@fngate/schema";
import type { AdminHandler } from "./admin-request.ts";
import { isJsonObject, type JsonObject, memberOf } from "./json.ts";
import { assertValidAlone, type CheckScope } from "./resource-check.ts";

/** One problem of a document; `index` counts from 0. */
interface Problem {
  readonly resource_type: string;
  readonly resource_id?: unknown;
  readonly index?: number;
  readonly error: string;
}

/**
 * `POST /configs/validate`: checks a whole configuration without storing it and lists every problem. Members that
 * are no kind's plural name are ignored. References are not checked, as what they name may be in the same document.
 * Source: APISIX Admin API, configs/validate.
 */
export function configsValidation(scope: CheckScope): AdminHandler {
  const sections = scope.kinds.all().filter(({ directory }) => directory === undefined);
  return async ({ body }) => {
    if (body === undefined) throw new GatewayError("REQUEST_INVALID", "invalid request body: empty request body");
    const document = body.value;
    if (!isJsonObject(document)) {
      throw new GatewayError("REQUEST_INVALID", "invalid request body: expected an object");
    }
    const errors: Problem[] = [];
    for (const section of sections) {
      errors.push(...versionProblems(section.plural, document));
      errors.push(...(await itemProblems(section, memberOf(document, section.plural), scope)));
    }
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

async function itemProblems(section: ResourceDefinition, items: unknown, scope: CheckScope): Promise<Problem[]> {
  const name = section.plural;
  if (items === undefined) return [];
  if (!Array.isArray(items)) {
    const isEmpty = isJsonObject(items) && Object.keys(items).length === 0;
    return isEmpty ? [] : [{ resource_type: name, error: `${name} must be an array` }];
  }
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const [index, item] of items.entries()) {
    const { id, member } = idOf(item);
    const kind = kindOf(section, String(id), scope);
    const errors = [await problemOf(kind, item, scope)];
    const isCredential = kind !== section;
    const what = isCredential ? `${kind.label} ${member}` : member;
    if (seen.has(String(id))) errors.push(`found duplicate ${what} ${id} in ${name}`);
    if (id !== "") seen.add(String(id));
    problems.push(
      ...errors.flatMap((error) => (error === undefined ? [] : { resource_type: name, resource_id: id, index, error })),
    );
  }
  return problems;
}

/** Objects that live below others are listed among them, with the longer id that their keys have. */
function kindOf(section: ResourceDefinition, id: string, { kinds }: CheckScope): ResourceDefinition {
  const guest = kinds.all().find((kind) => kind.directory === section.plural && kind.idPattern?.test(id) === true);
  return guest ?? section;
}

async function problemOf(
  definition: ResourceDefinition,
  item: unknown,
  scope: CheckScope,
): Promise<string | undefined> {
  if (!isJsonObject(item)) return "invalid configuration: wrong type: expected object";
  const { label, idPattern, naming } = definition;
  const itemId = memberOf(item, "id");
  if (idPattern !== undefined && !idPattern.test(String(itemId))) return `invalid ${label} id: ${String(itemId)}`;
  const urlId = typeof itemId === "string" ? itemId : undefined;
  const identified = (naming?.identify ?? byUrlOrBody)({ label, urlId, body: item });
  const id = identified.ok ? identified.id : undefined;
  try {
    await assertValidAlone(definition, { value: item, id, storeId: (ownId) => ownId }, scope);
    return undefined;
  } catch (error) {
    if (isGatewayError(error, "RESOURCE_INVALID")) return error.message;
    throw error;
  }
}

/** What a client finds its object by, and where it stands; empty when it has neither. */
function idOf(item: unknown): { readonly id: string | number; readonly member: string } {
  for (const member of ["id", "username"]) {
    const id = isJsonObject(item) ? memberOf(item, member) : undefined;
    if (typeof id === "string" || typeof id === "number") return { id, member };
  }
  return { id: "", member: "id" };
}

import { setImmediate as nextTurn } from "node:timers/promises";
import { isGatewayError } from "@fngate/kernel";
import { byUrlOrBody, documentSections, kindOfItem, type ResourceDefinition } from "@fngate/schema";
import { isJsonObject, type JsonObject, memberOf, withoutPath } from "./json.ts";
import { assertValidAlone, type CheckScope } from "./resource-check.ts";

/** One problem of a document; `index` counts from 0. */
export interface DocumentProblem {
  readonly resource_type: string;
  readonly resource_id?: unknown;
  readonly index?: number;
  readonly error: string;
}

/** What checking a document looks at beside the document. */
export interface DocumentScope extends Pick<CheckScope, "catalog" | "keyring" | "uniqueness"> {
  /** Lets items carry `modifiedIndex`, as standalone mode does; default false. */
  readonly hasVersions?: boolean;
}

/** Items checked without a break: a few milliseconds. */
const ITEMS_PER_TURN = 50;

/**
 * Finds what is wrong with a whole configuration, section by section. Members that are no kind's plural name are
 * ignored. References are not checked, as what they name may be in the same document. APISIX: config_validate.
 */
export async function* documentProblems(document: JsonObject, scope: DocumentScope): AsyncGenerator<DocumentProblem> {
  for (const section of documentSections()) {
    const type = wrongVersionType(section.plural, document);
    if (type !== undefined) {
      const error = `${section.plural}_conf_version must be a number, got ${type}`;
      yield { resource_type: section.plural, error };
    }
    yield* itemProblems(section, memberOf(document, section.plural), scope);
  }
}

/** Lua's name of the type of a section's version when it is not a number. */
export function wrongVersionType(name: string, document: JsonObject): string | undefined {
  const version = memberOf(document, `${name}_conf_version`);
  if (version === undefined || typeof version === "number") return undefined;
  return version === null ? "userdata" : typeof version === "object" ? "table" : typeof version;
}

async function* itemProblems(
  section: ResourceDefinition,
  items: unknown,
  scope: DocumentScope,
): AsyncGenerator<DocumentProblem> {
  const name = section.plural;
  if (items === undefined) return;
  if (!Array.isArray(items)) {
    if (!isEmptyObject(items)) yield { resource_type: name, error: `${name} must be an array` };
    return;
  }
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % ITEMS_PER_TURN === 0) await nextTurn();
    const { id, member } = idOf(item);
    const kind = kindOfItem(section, String(id));
    const repeated = seen.has(String(id)) ? repetition({ section, kind, id, member }) : undefined;
    if (id !== "") seen.add(String(id));
    const errors = [await problemOf(kind, item, scope), repeated].filter((error) => error !== undefined);
    for (const error of errors) yield { resource_type: name, resource_id: id, index, error };
  }
}

function repetition(item: {
  readonly section: ResourceDefinition;
  readonly kind: ResourceDefinition;
  readonly id: string | number;
  readonly member: string;
}): string {
  const { section, kind, id, member } = item;
  return `found duplicate ${kind === section ? member : `${kind.label} ${member}`} ${id} in ${section.plural}`;
}

/** Lua's empty object and its empty array are the same. */
function isEmptyObject(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

async function problemOf(
  definition: ResourceDefinition,
  raw: unknown,
  scope: DocumentScope,
): Promise<string | undefined> {
  if (!isJsonObject(raw)) return "invalid configuration: wrong type: expected object";
  const versioned = scope.hasVersions === true ? withoutVersion(raw) : raw;
  if (typeof versioned === "string") return versioned;
  const item = versioned;
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

/** An item without its version, or what is wrong with that. */
function withoutVersion(item: JsonObject): JsonObject | string {
  const version = memberOf(item, "modifiedIndex");
  if (version === undefined) return item;
  if (Number.isInteger(version)) return withoutPath(item, ["modifiedIndex"]);
  const type = version === null ? "userdata" : typeof version === "object" ? "table" : typeof version;
  return `invalid configuration: property "modifiedIndex" validation failed: wrong type: expected integer, got ${type}`;
}

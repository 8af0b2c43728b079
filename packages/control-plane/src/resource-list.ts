import { directoryOf, type ResourceDefinition } from "@fngate/schema";
import type { StoreEntry } from "@fngate/store";
import { type JsonObject, memberOf } from "./json.ts";
import { compareCreation, type KindIndex } from "./kind-index.ts";
import { FILTERED_MEMBERS, type Page, selectPage } from "./list-query.ts";
import { parseStoredResource, type StoredResource } from "./stored-resource.ts";

/** What is listed: entries of a kind whose id starts with `start`, narrowed by a query. */
export interface ListRequest {
  readonly index: KindIndex;
  readonly prefix: string;
  readonly start: string;
  readonly query: URLSearchParams;
}

/** A page, and whether there was anything to select from. */
export interface SelectedPage extends Page<StoredResource> {
  readonly isEmpty: boolean;
}

/** Selects a page and parses the objects on it; with filters, what they look at is read once per stored version. */
export function selectResources(definition: ResourceDefinition, request: ListRequest): SelectedPage {
  const { index, prefix, start, query } = request;
  const part = start === "" ? undefined : index.startingWith(directoryOf(prefix, definition) + start);
  const byKey = () => part ?? index.byKey;
  const byCreation = () => part?.toSorted(compareCreation) ?? index.byCreation;
  const page = selectPage({ byKey, byCreation, membersOf: filteredMembersOf }, query, filterKeysOf(definition));
  return {
    isEmpty: byKey().length === 0,
    total: page.total,
    items: page.items.flatMap((entry) => parseStoredResource(entry) ?? []),
  };
}

/** Members that `?filter=` may compare: APISIX has it for the kinds that can belong to a service. */
function filterKeysOf(definition: ResourceDefinition): readonly string[] {
  const canHaveService = definition.references.some(({ path }) => path.join(".") === "service_id");
  return canHaveService ? ["service_id", "upstream_id"] : [];
}

const membersOfEntries = new WeakMap<StoreEntry, JsonObject>();

function filteredMembersOf(entry: StoreEntry): JsonObject {
  const known = membersOfEntries.get(entry);
  if (known !== undefined) return known;
  const value = parseStoredResource(entry)?.value ?? {};
  const present = FILTERED_MEMBERS.filter((name) => memberOf(value, name) !== undefined);
  const members = Object.fromEntries(present.map((name) => [name, memberOf(value, name)]));
  membersOfEntries.set(entry, members);
  return members;
}

import { GatewayError } from "@fngate/kernel";
import { isJsonObject, type JsonObject, memberOf } from "./json.ts";
import { parseLuaNumber } from "./lua-number.ts";
import { searchTexts } from "./regex-search.ts";

const PAGE_SIZE_MIN = 10;
const PAGE_SIZE_MAX = 500;

/** One page of a list, and how many objects there are in all. */
export interface Page<TItem> {
  readonly total: number;
  readonly items: readonly TItem[];
}

/** What is listed: in both orders, and read only as far as it is needed. */
export interface Listed<TItem> {
  byKey(): readonly TItem[];
  byCreation(): readonly TItem[];
  /** Members of an item that filters look at. */
  membersOf(item: TItem): JsonObject;
}

/**
 * Applies the filters `name`, `uri`, `label` and `filter`, then paging, as APISIX's version 3 API does. Filters
 * combine with AND. Paging needs `page` and `page_size`, both numbers; it sorts by creation. `filterKeys` are the
 * members that `filter` may compare; other keys in it are ignored. Raises `REQUEST_INVALID` for a bad page size.
 */
export function selectPage<TItem>(
  listed: Listed<TItem>,
  query: URLSearchParams,
  filterKeys: readonly string[],
): Page<TItem> {
  const paging = parsePaging(query);
  const all = paging === undefined ? listed.byKey() : listed.byCreation();
  const filters = [byName, byUri, byLabel, byReference(filterKeys)].flatMap((filter) => filter(query) ?? []);
  const found = filters.length === 0 ? all : filtered(all, filters, listed);
  if (paging === undefined) return { total: found.length, items: found };
  const start = (paging.page - 1) * paging.size;
  return { total: found.length, items: found.slice(start, start + paging.size) };
}

/** Members that {@link selectPage}'s filters look at, whatever the kind. */
export const FILTERED_MEMBERS = ["name", "uri", "uris", "labels", "service_id", "upstream_id"] as const;

function filtered<TItem>(all: readonly TItem[], filters: readonly Filter[], listed: Listed<TItem>): readonly TItem[] {
  const values = all.map((item) => listed.membersOf(item));
  let positions: readonly number[] = [...values.keys()];
  for (const filter of filters) {
    const hits = filter(positions.map((position) => values[position] ?? {}));
    positions = positions.filter((_, index) => hits[index]);
  }
  return positions.flatMap((position) => all[position] ?? []);
}

function parsePaging(query: URLSearchParams): { page: number; size: number } | undefined {
  const page = parseLuaNumber(query.get("page"));
  const size = parseLuaNumber(query.get("page_size"));
  if (page === undefined || size === undefined) return undefined;
  if (size < PAGE_SIZE_MIN || size > PAGE_SIZE_MAX) {
    throw new GatewayError("REQUEST_INVALID", "page_size must be between 10 and 500", {
      details: { isPlainText: true },
    });
  }
  return { page: Math.max(1, Math.floor(page)), size: Math.floor(size) };
}

/** Tells for each object whether it is found. */
type Filter = (values: readonly JsonObject[]) => readonly boolean[];

/** A filter when the query asks for it. */
type FilterOf = (query: URLSearchParams) => Filter | undefined;

/** Objects without a name are searched as the text `nil`: Lua's, and clients may have come to rely on it. */
const byName: FilterOf = (query) => {
  const pattern = query.get("name");
  if (pattern === null) return undefined;
  return (values) =>
    searchTexts(
      pattern,
      values.map((value) => [String(memberOf(value, "name") ?? "nil")]),
    );
};

const byUri: FilterOf = (query) => {
  const pattern = query.get("uri");
  return pattern === null ? undefined : (values) => searchTexts(pattern, values.map(urisOf));
};

function urisOf(value: JsonObject): readonly string[] {
  const uris = memberOf(value, "uris");
  return [memberOf(value, "uri"), ...(Array.isArray(uris) ? uris : [])].filter((uri) => typeof uri === "string");
}

const byLabel: FilterOf = (query) => {
  const label = query.get("label");
  if (label === null) return undefined;
  return (values) =>
    values.map((value) => {
      const labels = memberOf(value, "labels");
      return label !== "" && isJsonObject(labels) && Object.hasOwn(labels, label);
    });
};

function byReference(filterKeys: readonly string[]): FilterOf {
  return (query) => {
    const wanted = new Map(new URLSearchParams(query.get("filter") ?? ""));
    const conditions = [...wanted].filter(([key]) => filterKeys.includes(key));
    if (conditions.length === 0) return undefined;
    return (values) => values.map((value) => conditions.every(([key, text]) => memberOf(value, key) === text));
  };
}

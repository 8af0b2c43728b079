import { GatewayError } from "@fngate/kernel";
import { compareRevisions } from "@fngate/store";
import { isJsonObject, memberOf } from "./json.ts";
import { parseLuaNumber } from "./lua-number.ts";
import { searchTexts } from "./regex-search.ts";
import type { StoredResource } from "./stored-resource.ts";

const PAGE_SIZE_MIN = 10;
const PAGE_SIZE_MAX = 500;

/** One page of a list, and how many objects there are in all. */
export interface Page {
  readonly total: number;
  readonly items: readonly StoredResource[];
}

/**
 * Applies the filters `name`, `uri`, `label` and `filter`, then paging, as APISIX's version 3 API does. Filters
 * combine with AND. Paging needs `page` and `page_size`, both numbers; it sorts by creation. `filterKeys` are the
 * members that `filter` may compare; other keys in it are ignored. Raises `REQUEST_INVALID` for a bad page size.
 */
export function selectPage(
  items: readonly StoredResource[],
  query: URLSearchParams,
  filterKeys: readonly string[],
): Page {
  const paging = parsePaging(query);
  const found = [byName, byUri, byLabel, byReference(filterKeys)].reduce((rest, filter) => filter(rest, query), items);
  if (paging === undefined) return { total: found.length, items: found };
  const start = (paging.page - 1) * paging.size;
  const ordered = found.toSorted((left, right) => compareRevisions(left.createRevision, right.createRevision));
  return { total: found.length, items: ordered.slice(start, start + paging.size) };
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

type Filter = (items: readonly StoredResource[], query: URLSearchParams) => readonly StoredResource[];

/** Objects without a name are searched as the text `nil`: Lua's, and clients may have come to rely on it. */
const byName: Filter = (items, query) => {
  const pattern = query.get("name");
  if (pattern === null) return items;
  const hits = searchTexts(
    pattern,
    items.map(({ value }) => [String(memberOf(value, "name") ?? "nil")]),
  );
  return items.filter((_, index) => hits[index]);
};

const byUri: Filter = (items, query) => {
  const pattern = query.get("uri");
  if (pattern === null) return items;
  const hits = searchTexts(pattern, items.map(urisOf));
  return items.filter((_, index) => hits[index]);
};

function urisOf({ value }: StoredResource): readonly string[] {
  const uris = memberOf(value, "uris");
  return [memberOf(value, "uri"), ...(Array.isArray(uris) ? uris : [])].filter((uri) => typeof uri === "string");
}

const byLabel: Filter = (items, query) => {
  const label = query.get("label");
  if (label === null) return items;
  return items.filter(({ value }) => {
    const labels = memberOf(value, "labels");
    return label !== "" && isJsonObject(labels) && Object.hasOwn(labels, label);
  });
};

function byReference(filterKeys: readonly string[]): Filter {
  return (items, query) => {
    const wanted = new Map(new URLSearchParams(query.get("filter") ?? ""));
    const conditions = [...wanted].filter(([key]) => filterKeys.includes(key));
    return items.filter(({ value }) => conditions.every(([key, text]) => memberOf(value, key) === text));
  };
}

import type { Revision } from "@fngate/store";
import type { AdminReply } from "./http-status.ts";
import type { JsonObject } from "./json.ts";
import type { Page } from "./list-query.ts";
import { entityTagOf } from "./precondition.ts";
import type { StoredResource } from "./stored-resource.ts";

/** Versions of the Admin API, which differ in the shapes of their answers. */
export type ApiVersion = "v2" | "v3";

/** What became of a write. */
export interface WrittenResource {
  readonly key: string;
  /** In its form at rest. */
  readonly value: JsonObject;
  readonly isNew: boolean;
  readonly newRevision: Revision;
}

/** How successful requests are answered. Source: APISIX Admin API, response shapes. */
export interface AnswerShapes {
  readonly version: ApiVersion;
  /** Whether lists have filters and pages. */
  readonly hasQueries: boolean;
  one(resource: StoredResource): AdminReply;
  /** A list, or the page of it that was asked for; `directory` is the key of what is listed, with a slash at its end. */
  page(page: Page<StoredResource>, directory: string): AdminReply;
  written(resource: WrittenResource, method: "PUT" | "POST" | "PATCH"): AdminReply;
  deleted(key: string): AdminReply;
}

/** The shapes of a version. */
export function shapesOf(version: ApiVersion): AnswerShapes {
  return version === "v3" ? CURRENT : LEGACY;
}

/** Reads show where an object stands in the store's history, writes do not; the count of deletions is text. */
const CURRENT: AnswerShapes = {
  version: "v3",
  hasQueries: true,
  one: (resource) => ({ status: 200, headers: tagOf(resource.modRevision), body: withIndexes(resource) }),
  page: ({ total, items }) => ({ status: 200, body: { total, list: items.map(withIndexes) } }),
  written: ({ key, value, isNew, newRevision }) => ({
    status: isNew ? 201 : 200,
    headers: tagOf(newRevision),
    body: { key, value },
  }),
  deleted: (key) => ({ status: 200, body: { deleted: "1", key } }),
};

const ACTIONS = { PUT: "set", POST: "create", PATCH: "compareAndSwap" } as const;

/** As etcd's second version had them: a node, and what was done to it. */
const LEGACY: AnswerShapes = {
  version: "v2",
  hasQueries: false,
  one: ({ key, value, modRevision }) => ({
    status: 200,
    headers: tagOf(modRevision),
    body: { action: "get", node: { key, value } },
  }),
  page: ({ items }, directory) => ({
    status: 200,
    body: { action: "get", node: { dir: true, key: directory.replace(/\/$/, ""), nodes: items.map(withIndexes) } },
  }),
  written: ({ key, value, isNew, newRevision }, method) => ({
    status: isNew ? 201 : 200,
    headers: tagOf(newRevision),
    body: { action: ACTIONS[method], node: { key, value } },
  }),
  deleted: (key) => ({ status: 200, body: { action: "delete", deleted: "1", key, node: {} } }),
};

function tagOf(revision: Revision): Readonly<Record<string, string>> {
  return { ETag: entityTagOf(revision) };
}

function withIndexes({ key, value, createRevision, modRevision }: StoredResource): object {
  return { key, value, createdIndex: indexOf(createRevision), modifiedIndex: indexOf(modRevision) };
}

/** Revisions are 64-bit text inside, JSON numbers on the wire. */
function indexOf(revision: Revision): number {
  return Number(revision);
}

import type { Revision } from "@fngate/store";
import type { AdminReply } from "./http-status.ts";
import type { JsonObject } from "./json.ts";
import type { Page } from "./list-query.ts";
import { entityTagOf } from "./precondition.ts";
import type { StoredResource } from "./stored-resource.ts";

/**
 * The envelope of the Admin API, version 3. Reads show where an object stands in the store's history, writes do
 * not. Source: APISIX Admin API, response shapes.
 */
export function renderOne(resource: StoredResource): AdminReply {
  return { status: 200, headers: tagOf(resource.modRevision), body: envelopeOf(resource) };
}

/** A list, or the page of it that was asked for. */
export function renderPage(page: Page<StoredResource>): AdminReply {
  return { status: 200, body: { total: page.total, list: page.items.map(envelopeOf) } };
}

/** What was stored by a PUT, POST or PATCH, in its form at rest. */
export function renderWritten(written: {
  readonly key: string;
  readonly value: JsonObject;
  readonly isNew: boolean;
  readonly newRevision: Revision;
}): AdminReply {
  const { key, value, isNew, newRevision } = written;
  return { status: isNew ? 201 : 200, headers: tagOf(newRevision), body: { key, value } };
}

/** A deletion; the count is text in APISIX, so it is here. */
export function renderDeleted(key: string): AdminReply {
  return { status: 200, body: { deleted: "1", key } };
}

function tagOf(revision: Revision): Readonly<Record<string, string>> {
  return { ETag: entityTagOf(revision) };
}

function envelopeOf(resource: StoredResource): object {
  return {
    key: resource.key,
    value: resource.value,
    createdIndex: indexOf(resource.createRevision),
    modifiedIndex: indexOf(resource.modRevision),
  };
}

/** Revisions are 64-bit text inside, JSON numbers on the wire. */
function indexOf(revision: Revision): number {
  return Number(revision);
}

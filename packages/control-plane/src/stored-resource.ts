import type { Revision, StoreEntry } from "@fngate/store";
import { isJsonObject, type JsonObject } from "./json.ts";

/** An object of the store with its place in the store's history. */
export interface StoredResource {
  /** Full store key, prefix included. */
  readonly key: string;
  readonly value: JsonObject;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** Reads a store entry; undefined for what is no object (the `init_dir` placeholders, foreign values). */
export function parseStoredResource(entry: StoreEntry): StoredResource | undefined {
  try {
    const value: unknown = JSON.parse(entry.value);
    if (!isJsonObject(value)) return undefined;
    return { key: entry.key, value, createRevision: entry.createRevision, modRevision: entry.modRevision };
  } catch {
    return undefined;
  }
}

import { GatewayError } from "@fngate/kernel";
import type { IEvent, IKeyValue, IResponseHeader } from "etcd3";
import { prefixEnd } from "../call-guard.ts";
import type { StoreEntry, StoreEvent } from "../config-store.ts";
import { parseRevision, type Revision } from "../revision.ts";

/** etcd's lowest key: what a range over everything begins with, as an empty key is not allowed. */
const LOWEST_KEY = Buffer.of(0);

/** etcd's way of saying "to the last key". */
const NO_END = Buffer.of(0);

/** The range of all keys that start with `prefix`. */
export function rangeOf(prefix: string): { key: Buffer; range_end: Buffer } {
  if (prefix === "") return { key: LOWEST_KEY, range_end: NO_END };
  return { key: Buffer.from(prefix), range_end: prefixEnd(prefix) };
}

/** An entry as the port shows it. */
export function entryOf(kv: IKeyValue): StoreEntry {
  return {
    key: kv.key.toString(),
    value: kv.value.toString(),
    createRevision: parseRevision(kv.create_revision),
    modRevision: parseRevision(kv.mod_revision),
  };
}

/** A change as the port shows it. */
export function eventOf(event: IEvent): StoreEvent {
  // etcd3's type says "Put", its wire decoder "PUT".
  if (event.type.toLowerCase() === "put") return { type: "put", entry: entryOf(event.kv) };
  return { type: "delete", key: event.kv.key.toString(), revision: parseRevision(event.kv.mod_revision) };
}

/** The revision an answer was made at. Raises `STORE_UNAVAILABLE` for an answer without one. */
export function revisionOf(header: IResponseHeader | null): Revision {
  if (header === null) throw new GatewayError("STORE_UNAVAILABLE", "etcd answered without a header");
  return parseRevision(header.revision);
}

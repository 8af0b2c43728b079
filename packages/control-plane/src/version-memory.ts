import type { ResourceDefinition } from "@fngate/schema";
import { compareRevisions, type Expectation, type Revision } from "@fngate/store";
import { memberOf } from "./json.ts";
import type { StoreMirror } from "./store-mirror.ts";
import { parseStoredResource } from "./stored-resource.ts";

/** Objects remembered at most, some 200 bytes each: those that clients write over and over. */
const MAX_REMEMBERED = 10_000;

/** An object as it was when it was last seen: what a write has to know of the object that it replaces. */
export interface KnownVersion {
  readonly modRevision: Expectation;
  /** Its `create_time`, if it has one. */
  readonly createTime: unknown;
}

interface Remembered extends KnownVersion {
  readonly modRevision: Revision;
}

/**
 * What objects were when this process last wrote them or its mirror last heard of them, so that a write need not read
 * first. It may be out of date: whoever acts on it has the store compare revisions, and reads when that fails.
 */
export class VersionMemory {
  readonly #mirror: StoreMirror;
  readonly #limit: number;
  /** The longest unwritten first. */
  readonly #written = new Map<string, Remembered>();

  constructor(mirror: StoreMirror, limit = MAX_REMEMBERED) {
    this.#mirror = mirror;
    this.#limit = limit;
  }

  /** The latest version that is known of an object; undefined when the store has to be asked. */
  recall(definition: ResourceDefinition, key: string): KnownVersion | undefined {
    const written = this.#written.get(key);
    const mirrored = this.#mirror.peek(definition, key);
    if (mirrored === undefined) return written;
    if (mirrored === "absent") return written ?? { modRevision: "absent", createTime: undefined };
    if (written !== undefined && compareRevisions(written.modRevision, mirrored.modRevision) >= 0) return written;
    const value = parseStoredResource(mirrored)?.value;
    return value && { modRevision: mirrored.modRevision, createTime: memberOf(value, "create_time") };
  }

  /** Notes what was just stored. */
  remember(key: string, version: Remembered): void {
    this.#written.delete(key);
    this.#written.set(key, version);
    if (this.#written.size <= this.#limit) return;
    const [oldest] = this.#written.keys();
    if (oldest !== undefined) this.#written.delete(oldest);
  }

  forget(key: string): void {
    this.#written.delete(key);
  }
}

import { type Clock, isGatewayError } from "@fngate/kernel";
import type { ResourceDefinition } from "@fngate/schema";
import type { Expectation, Revision } from "@fngate/store";
import type { BoundedStore } from "./bounded-store.ts";
import { type JsonObject, memberOf } from "./json.ts";
import { assertHolds, changed, type Precondition } from "./precondition.ts";
import type { SecretsAtRest } from "./secrets-at-rest.ts";
import { parseStoredResource } from "./stored-resource.ts";
import { nowSeconds, stampWrite } from "./timestamps.ts";
import type { VersionMemory } from "./version-memory.ts";

/** A change that was stored; revisions are for the audit log. */
export interface Written {
  readonly key: string;
  /** As stored: secrets are encrypted. */
  readonly value: JsonObject;
  readonly isNew: boolean;
  readonly oldRevision: Revision | undefined;
  readonly newRevision: Revision;
}

/** What an {@link ObjectWriter} works with. */
export interface WriterScope {
  readonly store: BoundedStore;
  readonly versions: VersionMemory;
  readonly secrets: SecretsAtRest;
  readonly clock: Clock;
}

/** An object that has passed its checks, and where it goes. */
export interface CheckedObject {
  readonly key: string;
  readonly value: JsonObject;
  readonly ttlSeconds: number | undefined;
}

/** Stores objects of one kind: stamps them, encrypts their secrets and remembers what became of them. */
export class ObjectWriter {
  readonly #definition: ResourceDefinition;
  readonly #scope: WriterScope;

  constructor(definition: ResourceDefinition, scope: WriterScope) {
    this.#definition = definition;
    this.#scope = scope;
  }

  /** Stores an object that keeps the creation time of the one it replaces. Raises `RESOURCE_CHANGED`. */
  async replace(object: CheckedObject, precondition: Precondition | undefined): Promise<Written> {
    const written = precondition === undefined ? await this.#replaceUnread(object) : undefined;
    return written ?? this.#replaceRead(object, precondition);
  }

  /** Stores an object that replaces none. */
  create(object: CheckedObject): Promise<Written> {
    return this.store({ ...object, value: this.#stamp(object.value, undefined) }, undefined);
  }

  /** Stores an object as it is; raises `STORE_CONFLICT` when `expect` does not hold. */
  async store({ key, value, ttlSeconds }: CheckedObject, expect: Expectation | undefined): Promise<Written> {
    const { secrets, store, versions } = this.#scope;
    const sealed = secrets.seal(value);
    const { previous, revision } = await store.put(key, JSON.stringify(sealed), {
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(expect === undefined ? {} : { expect }),
    });
    if (this.#definition.hasTimestamps) {
      versions.remember(key, { modRevision: revision, createTime: memberOf(sealed, "create_time") });
    }
    const oldRevision = previous?.modRevision;
    return { key, value: sealed, isNew: previous === undefined, oldRevision, newRevision: revision };
  }

  /** One call to the store instead of two; undefined when nothing is known of the object, or that is out of date. */
  async #replaceUnread(object: CheckedObject): Promise<Written | undefined> {
    if (!this.#definition.hasTimestamps) return this.store(object, undefined);
    const { versions } = this.#scope;
    const known = versions.recall(this.#definition, object.key);
    if (known === undefined) return undefined;
    try {
      return await this.store(
        { ...object, value: this.#stamp(object.value, { create_time: known.createTime }) },
        known.modRevision,
      );
    } catch (error) {
      if (!isGatewayError(error, "STORE_CONFLICT")) throw error;
      versions.forget(object.key);
      return undefined;
    }
  }

  /** Without precondition the last writer wins. */
  async #replaceRead(object: CheckedObject, precondition: Precondition | undefined): Promise<Written> {
    const previous = await this.#scope.store.get(object.key);
    assertHolds(precondition, previous?.modRevision);
    const earlier = previous === undefined ? undefined : parseStoredResource(previous)?.value;
    const expect = precondition === undefined ? undefined : (previous?.modRevision ?? "absent");
    return this.store({ ...object, value: this.#stamp(object.value, earlier) }, expect).catch(conflictAsChanged);
  }

  #stamp(value: JsonObject, previous: JsonObject | undefined): JsonObject {
    return this.#definition.hasTimestamps ? stampWrite(value, previous, nowSeconds(this.#scope.clock)) : value;
  }
}

/** With a precondition, a race that was lost is the client's to know of. */
export function conflictAsChanged(error: unknown): never {
  throw isGatewayError(error, "STORE_CONFLICT") ? changed(error) : error;
}

import { type Clock, GatewayError, isGatewayError } from "@fngate/kernel";
import { directoryOf, keyOf, type ResourceDefinition } from "@fngate/schema";
import type { Revision } from "@fngate/store";
import { assertNoId, identify, keyPartOf, type Place, requireId, storeIdOf } from "./identifier.ts";
import { isJsonObject, type JsonObject, tableOf, withMember, withoutPath } from "./json.ts";
import type { Page } from "./list-query.ts";
import { conflictAsChanged, ObjectWriter, type Written } from "./object-writer.ts";
import { ownerOf } from "./owner.ts";
import { applyPatch } from "./patch.ts";
import { assertHolds, type Precondition } from "./precondition.ts";
import { assertUnused } from "./references.ts";
import type { DecodedBody } from "./request-body.ts";
import { assertValid, type CheckScope } from "./resource-check.ts";
import { selectResources } from "./resource-list.ts";
import { type SecretsAtRest, secretsAtRest } from "./secrets-at-rest.ts";
import { parseStoredResource, type StoredResource } from "./stored-resource.ts";
import { assertNoTimestamps, nowSeconds, stampPatch } from "./timestamps.ts";
import { Turns } from "./turns.ts";
import type { VersionMemory } from "./version-memory.ts";

/** What every {@link ResourceService} works with. */
export interface ResourceScope extends CheckScope {
  readonly clock: Clock;
  readonly versions: VersionMemory;
}

/** An object that was deleted. */
export interface Removed {
  readonly key: string;
  readonly oldRevision: Revision;
  readonly newRevision: Revision;
}

/** A body to be stored, and where. */
export interface WriteRequest {
  readonly place: Place;
  readonly body: DecodedBody;
  readonly ttlSeconds: number | undefined;
  readonly precondition: Precondition | undefined;
}

/** A PATCH: without `path` a merge, with it the replacement of one attribute. */
export interface PatchRequest extends WriteRequest {
  readonly path: readonly string[];
}

/** What is to be deleted. */
export interface RemoveRequest {
  readonly place: Place;
  /** Deletes it even while others use it. */
  readonly isForced: boolean;
  readonly precondition: Precondition | undefined;
}

/** Tries of a PATCH before it gives up; each lost try means that another writer succeeded. */
const MAX_PATCH_ATTEMPTS = 24;
/** Longest pause between two tries in milliseconds; random below, so that rivals spread out. */
const MAX_PATCH_PAUSE_MS = 50;

/** CRUD of one kind of resource over the store, without HTTP. Everything kind-specific comes from the definition. */
export class ResourceService {
  readonly definition: ResourceDefinition;
  readonly #scope: ResourceScope;
  readonly #secrets: SecretsAtRest;
  readonly #turns: Turns;
  readonly #writer: ObjectWriter;

  constructor(definition: ResourceDefinition, scope: ResourceScope) {
    this.definition = definition;
    this.#scope = scope;
    this.#secrets = secretsAtRest(definition, scope.catalog, scope.keyring);
    this.#turns = new Turns(scope.clock);
    this.#writer = new ObjectWriter(definition, { ...scope, secrets: this.#secrets });
  }

  /** One object; raises `RESOURCE_NOT_FOUND`. */
  async get(place: Place): Promise<StoredResource> {
    const entry = await this.#scope.store.get(this.#keyOf(storeIdOf(this.definition, place)));
    const resource = entry === undefined ? undefined : parseStoredResource(entry);
    if (resource === undefined) throw notFound();
    return this.#open(resource);
  }

  /** The objects that a query selects; raises `RESOURCE_NOT_FOUND` when not even the directory's placeholder is there. */
  async list(place: Place, query: URLSearchParams): Promise<Page<StoredResource>> {
    const { mirror, prefix } = this.#scope;
    const view = await mirror.read();
    const start = storeIdOf(this.definition, place);
    const page = selectResources(this.definition, { index: view.of(this.definition), prefix, start, query });
    if (page.isEmpty && (start !== "" || !view.hasPlaceholder(directoryOf(prefix, this.definition)))) throw notFound();
    return { total: page.total, items: page.items.map((resource) => this.#open(resource)) };
  }

  /** Key of the directory that {@link list} lists, or the start of keys that it does. */
  directoryOf(place: Place): string {
    return this.#keyOf(storeIdOf(this.definition, place));
  }

  /** PUT: stores the body under its id whether or not there was such an object; without precondition the last writer wins. */
  async replace({ place, body, ttlSeconds, precondition }: WriteRequest): Promise<Written> {
    const owner = ownerOf(this.definition, place);
    const table = owner.adopt(bodyTable(body));
    if (owner.isFirst) await owner.assertExists(this.#scope);
    const { id, value } = identify(this.definition, place.id, table);
    assertNoTimestamps(table);
    const storeId = (ownId: string) => storeIdOf(this.definition, { parent: place.parent, id: ownId });
    await assertValid(this.definition, { value, id, urlId: place.id, storeId }, this.#scope);
    if (!owner.isFirst) await owner.assertExists(this.#scope);
    const key = this.#keyOf(storeId(keyPartOf(id)));
    const written = await this.#writer.replace({ key, value, ttlSeconds }, precondition);
    if (written.isNew && this.definition.isBornAlone) await this.#removeOwned(key);
    return written;
  }

  /** POST: stores the body under an id of 20 digits that the store's revision makes unique. */
  async create({ place, body, ttlSeconds, precondition }: WriteRequest): Promise<Written> {
    const owner = ownerOf(this.definition, place);
    const table = owner.adopt(bodyTable(body));
    await owner.assertExists(this.#scope);
    assertNoId(this.definition, place.id, table);
    assertNoTimestamps(table);
    assertHolds(precondition, undefined);
    const storeId = (ownId: string) => storeIdOf(this.definition, { parent: place.parent, id: ownId });
    await assertValid(this.definition, { value: table, id: undefined, urlId: undefined, storeId }, this.#scope);
    const { revision } = await this.#scope.store.put(`${this.#scope.prefix}/gen_id`, "1");
    const id = revision.padStart(20, "0");
    const key = this.#keyOf(storeId(id));
    return this.#writer.create({ key, value: withMember(table, "id", id), ttlSeconds });
  }

  /**
   * PATCH: reads, changes and compares-and-sets, and starts over when another writer was faster. Raises
   * `STORE_CONFLICT` when {@link MAX_PATCH_ATTEMPTS} tries all lost.
   */
  async patch(request: PatchRequest): Promise<Written> {
    const id = requireId(this.definition, request.place.id, "PATCH");
    const { body, path } = request;
    if (body === undefined) throw invalid("missing new configuration");
    if (path.length === 0 && !isTable(body.value)) throw invalid("invalid configuration");
    ownerOf(this.definition, request.place).assertUntouched(body.value);
    const key = this.#keyOf(storeIdOf(this.definition, request.place));
    return this.#turns.take(key, () => this.#patchUntilStored(key, id, { ...request, body }));
  }

  /**
   * DELETE: refuses while other objects name this one, unless forced; what it owns goes with it. Raises
   * `RESOURCE_IN_USE`, `RESOURCE_NOT_FOUND` and `RESOURCE_CHANGED`.
   */
  async remove({ place, isForced, precondition }: RemoveRequest): Promise<Removed> {
    requireId(this.definition, place.id, "DELETE");
    const storeId = storeIdOf(this.definition, place);
    if (!isForced) await assertUnused(this.definition, storeId, this.#scope);
    const key = this.#keyOf(storeId);
    const current = precondition === undefined ? undefined : await this.#scope.store.get(key);
    assertHolds(precondition, current?.modRevision);
    // First, so that nothing is left for a later object of that name; a delete that may yet lose a race touches nothing.
    if (precondition === undefined) await this.#removeOwned(key);
    const { deleted, revision } = await this.#scope.store
      .delete(key, current?.modRevision)
      .catch((error: unknown) => conflictAsChanged(error));
    this.#scope.versions.forget(key);
    if (precondition !== undefined) await this.#removeOwned(key);
    if (deleted === undefined) throw notFound();
    return { key, oldRevision: deleted.modRevision, newRevision: revision };
  }

  async #removeOwned(key: string): Promise<void> {
    for (const directory of this.definition.ownedDirectories ?? []) {
      await this.#scope.store.deletePrefix(`${key}/${directory}/`);
    }
  }

  async #patchUntilStored(
    key: string,
    id: string,
    request: PatchRequest & { body: { value: unknown } },
  ): Promise<Written> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#patchOnce(key, id, request);
      } catch (error) {
        if (!isGatewayError(error, "STORE_CONFLICT")) throw error;
        if (attempt === MAX_PATCH_ATTEMPTS) {
          throw new GatewayError("STORE_CONFLICT", "value changed before overwritten", { cause: error });
        }
      }
      await this.#scope.clock.sleep(Math.random() * Math.min(2 ** attempt, MAX_PATCH_PAUSE_MS));
    }
  }

  async #patchOnce(key: string, id: string, request: PatchRequest & { body: { value: unknown } }): Promise<Written> {
    const entry = await this.#scope.store.get(key);
    const stored = entry === undefined ? undefined : parseStoredResource(entry);
    if (stored === undefined) throw notFound();
    assertHolds(request.precondition, stored.modRevision);
    const merged = applyPatch(this.#secrets.open(stored.value), request);
    const { value: body } = identify(this.definition, id, merged);
    const patch = request.path.length === 0 ? request.body.value : undefined;
    const value = this.definition.hasTimestamps ? stampPatch(body, patch, nowSeconds(this.#scope.clock)) : body;
    const storeId = (ownId: string) => storeIdOf(this.definition, { parent: request.place.parent, id: ownId });
    await assertValid(this.definition, { value, id, urlId: id, storeId }, this.#scope);
    return this.#writer.store({ key, value, ttlSeconds: request.ttlSeconds }, stored.modRevision);
  }

  /** What readers get to see: plugins' secrets in clear, hidden fields not at all. */
  #open(resource: StoredResource): StoredResource {
    const hidden = (this.definition.hiddenFields ?? []).map((field) => field.split("."));
    return { ...resource, value: hidden.reduce(withoutPath, this.#secrets.open(resource.value)) };
  }

  #keyOf(id: string): string {
    return keyOf(this.#scope.prefix, this.definition, id);
  }
}

/** The object in a PUT or POST body. An array is Lua's table with numbers for keys, and an empty one an empty object. */
function bodyTable(body: DecodedBody): JsonObject {
  if (body === undefined) throw invalid("missing configurations");
  if (Array.isArray(body.value)) return tableOf(body.value);
  if (isJsonObject(body.value)) return body.value;
  const type = body.value === null ? "userdata" : typeof body.value;
  throw invalid(`invalid configuration: wrong type: expected object, got ${type}`);
}

function isTable(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function notFound(): GatewayError {
  return new GatewayError("RESOURCE_NOT_FOUND", "Key not found");
}

function invalid(message: string): GatewayError {
  return new GatewayError("RESOURCE_INVALID", message);
}

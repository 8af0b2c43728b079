import { type Clock, GatewayError, isGatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import { directoryOf, type Keyring, keyOf, type ResourceDefinition } from "@fngate/schema";
import type { Expectation, Revision } from "@fngate/store";
import type { BoundedStore } from "./bounded-store.ts";
import { assertNoId, keyPartOf, requireId, resolveId } from "./identifier.ts";
import { isJsonObject, type JsonObject, tableOf, withMember, withoutPath } from "./json.ts";
import { type Page, selectPage } from "./list-query.ts";
import { mergePatch, replaceAttribute } from "./patch.ts";
import { assertUnused, isIdOf, type KindList } from "./references.ts";
import type { DecodedBody } from "./request-body.ts";
import { assertValid } from "./resource-check.ts";
import { type SecretsAtRest, secretsAtRest } from "./secrets-at-rest.ts";
import { parseStoredResource, type StoredResource } from "./stored-resource.ts";
import { assertNoTimestamps, stampPatch, stampWrite } from "./timestamps.ts";

/** What every {@link ResourceService} works with. */
export interface ResourceScope {
  readonly store: BoundedStore;
  readonly prefix: string;
  readonly kinds: KindList;
  readonly catalog: PluginCatalog;
  readonly keyring: Keyring | undefined;
  readonly clock: Clock;
}

/** A change that was stored; revisions are for the audit log. */
export interface Written {
  readonly key: string;
  /** As stored: secrets are encrypted. */
  readonly value: JsonObject;
  readonly isNew: boolean;
  readonly oldRevision: Revision | undefined;
  readonly newRevision: Revision;
}

/** An object that was deleted. */
export interface Removed {
  readonly key: string;
  readonly oldRevision: Revision;
  readonly newRevision: Revision;
}

/** A body to be stored, and where. */
export interface WriteRequest {
  /** Id in the URL. */
  readonly id: string | undefined;
  readonly body: DecodedBody;
  readonly ttlSeconds: number | undefined;
}

/** A PATCH: without `path` a merge, with it the replacement of one attribute. */
export interface PatchRequest extends WriteRequest {
  readonly path: readonly string[];
}

/** Tries of a PATCH before it gives up; each lost try means that another writer succeeded. */
const MAX_PATCH_ATTEMPTS = 24;
/** Longest pause between two tries in milliseconds; random below, so that rivals spread out. */
const MAX_PATCH_PAUSE_MS = 50;
/** Longest attribute path; deeper values would not pass validation anyway. */
const MAX_PATH_SEGMENTS = 1000;

/** CRUD of one kind of resource over the store, without HTTP. Everything kind-specific comes from the definition. */
export class ResourceService {
  readonly definition: ResourceDefinition;
  readonly #scope: ResourceScope;
  readonly #secrets: SecretsAtRest;

  constructor(definition: ResourceDefinition, scope: ResourceScope) {
    this.definition = definition;
    this.#scope = scope;
    this.#secrets = secretsAtRest(definition, scope.catalog, scope.keyring);
  }

  /** One object; raises `RESOURCE_NOT_FOUND`. */
  async get(id: string): Promise<StoredResource> {
    const entry = await this.#scope.store.get(this.#keyOf(id));
    const resource = entry === undefined ? undefined : parseStoredResource(entry);
    if (resource === undefined) throw notFound();
    return this.#open(resource);
  }

  /** The objects that a query selects; raises `RESOURCE_NOT_FOUND` when not even the directory's placeholder is there. */
  async list(query: URLSearchParams): Promise<Page> {
    const directory = directoryOf(this.#scope.prefix, this.definition);
    const { entries } = await this.#scope.store.list(directory);
    if (entries.length === 0) throw notFound();
    const children = entries.filter(({ key }) => isIdOf(this.definition, key.slice(directory.length)));
    const page = selectPage(
      children.flatMap((entry) => parseStoredResource(entry) ?? []),
      query,
      this.#filterKeys(),
    );
    return { total: page.total, items: page.items.map((resource) => this.#open(resource)) };
  }

  /** PUT: stores the body under its id whether or not there was such an object; the last writer wins. */
  async replace({ id: urlId, body, ttlSeconds }: WriteRequest): Promise<Written> {
    const table = bodyTable(body);
    const id = resolveId({ label: this.definition.label, urlId, body: table });
    assertNoTimestamps(table);
    const candidate = withMember(table, "id", id);
    await assertValid(this.definition, candidate, this.#scope);
    const key = this.#keyOf(keyPartOf(id));
    const previous = await this.#scope.store.get(key);
    const value = this.#stamp(candidate, previous === undefined ? undefined : parseStoredResource(previous)?.value);
    return this.#store(key, value, { ttlSeconds });
  }

  /** POST: stores the body under an id of 20 digits that the store's revision makes unique. */
  async create({ id: urlId, body, ttlSeconds }: WriteRequest): Promise<Written> {
    const table = bodyTable(body);
    assertNoId({ label: this.definition.label, urlId, body: table });
    assertNoTimestamps(table);
    await assertValid(this.definition, table, this.#scope);
    const { revision } = await this.#scope.store.put(`${this.#scope.prefix}/gen_id`, "1");
    const id = revision.padStart(20, "0");
    return this.#store(this.#keyOf(id), this.#stamp(withMember(table, "id", id), undefined), { ttlSeconds });
  }

  /**
   * PATCH: reads, changes and compares-and-sets, and starts over when another writer was faster. Raises
   * `STORE_CONFLICT` when {@link MAX_PATCH_ATTEMPTS} tries all lost.
   */
  async patch(request: PatchRequest): Promise<Written> {
    const id = requireId(this.definition.label, request.id);
    const { body, path } = request;
    if (body === undefined) throw invalid("missing new configuration");
    if (path.length === 0 && !isTable(body.value)) throw invalid("invalid configuration");
    const key = this.#keyOf(id);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#patchOnce(key, id, { ...request, body });
      } catch (error) {
        if (!isGatewayError(error, "STORE_CONFLICT")) throw error;
        if (attempt === MAX_PATCH_ATTEMPTS) {
          throw new GatewayError("STORE_CONFLICT", "value changed before overwritten", { cause: error });
        }
      }
      await this.#scope.clock.sleep(Math.random() * Math.min(2 ** attempt, MAX_PATCH_PAUSE_MS));
    }
  }

  /** DELETE: refuses while other objects name this one, unless forced. Raises `RESOURCE_IN_USE`, `RESOURCE_NOT_FOUND`. */
  async remove(urlId: string | undefined, isForced: boolean): Promise<Removed> {
    const id = requireId(this.definition.label, urlId);
    if (!isForced) await assertUnused(this.definition, id, this.#scope);
    const key = this.#keyOf(id);
    const { deleted, revision } = await this.#scope.store.delete(key);
    if (deleted === undefined) throw notFound();
    return { key, oldRevision: deleted.modRevision, newRevision: revision };
  }

  async #patchOnce(key: string, id: string, request: PatchRequest & { body: { value: unknown } }): Promise<Written> {
    const entry = await this.#scope.store.get(key);
    const stored = entry === undefined ? undefined : parseStoredResource(entry);
    if (stored === undefined) throw notFound();
    const changed = applyPatch(this.#secrets.open(stored.value), request);
    const body = withMember(changed, "id", resolveId({ label: this.definition.label, urlId: id, body: changed }));
    const patch = request.path.length === 0 ? request.body.value : undefined;
    const value = this.definition.hasTimestamps ? stampPatch(body, patch, this.#nowSeconds()) : body;
    await assertValid(this.definition, value, this.#scope);
    return this.#store(key, value, { ttlSeconds: request.ttlSeconds, expect: stored.modRevision });
  }

  async #store(
    key: string,
    value: JsonObject,
    { ttlSeconds, expect }: { ttlSeconds: number | undefined; expect?: Expectation },
  ): Promise<Written> {
    const sealed = this.#secrets.seal(value);
    const { previous, revision } = await this.#scope.store.put(key, JSON.stringify(sealed), {
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(expect === undefined ? {} : { expect }),
    });
    const oldRevision = previous?.modRevision;
    return { key, value: sealed, isNew: previous === undefined, oldRevision, newRevision: revision };
  }

  /** Members that `?filter=` may compare: APISIX has it for the kinds that can belong to a service. */
  #filterKeys(): readonly string[] {
    const canHaveService = this.definition.references.some(({ path }) => path.join(".") === "service_id");
    return canHaveService ? ["service_id", "upstream_id"] : [];
  }

  #stamp(value: JsonObject, previous: JsonObject | undefined): JsonObject {
    return this.definition.hasTimestamps ? stampWrite(value, previous, this.#nowSeconds()) : value;
  }

  /** What readers get to see: plugins' secrets in clear, hidden fields not at all. */
  #open(resource: StoredResource): StoredResource {
    const hidden = (this.definition.hiddenFields ?? []).map((field) => field.split("."));
    return { ...resource, value: hidden.reduce(withoutPath, this.#secrets.open(resource.value)) };
  }

  #keyOf(id: string): string {
    return keyOf(this.#scope.prefix, this.definition, id);
  }

  #nowSeconds(): number {
    return Math.floor(this.#scope.clock.now() / 1000);
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

function applyPatch(
  stored: JsonObject,
  { path, body }: { path: readonly string[]; body: { value: unknown } },
): JsonObject {
  if (path.length === 0) {
    return mergePatch(stored, Array.isArray(body.value) ? tableOf(body.value) : Object(body.value));
  }
  const changed = path.length > MAX_PATH_SEGMENTS ? undefined : replaceAttribute(stored, path, body.value);
  if (!isJsonObject(changed)) throw new GatewayError("REQUEST_INVALID", `invalid sub-path: /${path.join("/")}`);
  return changed;
}

function notFound(): GatewayError {
  return new GatewayError("RESOURCE_NOT_FOUND", "Key not found");
}

function invalid(message: string): GatewayError {
  return new GatewayError("RESOURCE_INVALID", message);
}

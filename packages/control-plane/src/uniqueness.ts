import { GatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import { type Claim, directoryOf, type Keyring, type ResourceDefinition, type UniquenessRule } from "@fngate/schema";
import type { StoreEntry } from "@fngate/store";
import type { JsonObject } from "./json.ts";
import type { KindList } from "./references.ts";
import { secretsAtRest } from "./secrets-at-rest.ts";
import type { StoreMirror } from "./store-mirror.ts";
import { parseStoredResource } from "./stored-resource.ts";

/** What a {@link UniquenessGuard} works with. */
export interface UniquenessScope {
  readonly mirror: StoreMirror;
  readonly prefix: string;
  readonly kinds: KindList;
  readonly catalog: PluginCatalog;
  readonly keyring: Keyring | undefined;
}

/** Sees to it that no two objects have in common what their kinds forbid. */
export interface Uniqueness {
  /** Raises `RESOURCE_INVALID` when an object other than the one under `id` (if it has one yet) has what `value` claims. */
  assertUnique(definition: ResourceDefinition, id: string | undefined, value: JsonObject): Promise<void>;
}

/** {@link Uniqueness} among the objects of the store. */
export class UniquenessGuard implements Uniqueness {
  readonly #scope: UniquenessScope;
  /** Claims of stored objects: to find them takes decryption, and an entry never changes. */
  readonly #claims = new WeakMap<StoreEntry, readonly Claim[]>();

  constructor(scope: UniquenessScope) {
    this.#scope = scope;
  }

  async assertUnique(definition: ResourceDefinition, id: string | undefined, value: JsonObject): Promise<void> {
    const { uniqueness } = definition;
    const { catalog, kinds, mirror } = this.#scope;
    const wanted = new Map(uniqueness?.claims(value, catalog).map((claim) => [claim.text, claim]));
    if (uniqueness === undefined || wanted.size === 0) return;
    const view = await mirror.read();
    for (const kind of uniqueness.among) {
      const rival = kinds.byKind(kind);
      if (rival === undefined) continue;
      for (const entry of view.of(rival).byKey) {
        const message = this.#conflict(entry, { rival, wanted, id, uniqueness });
        if (message !== undefined) throw new GatewayError("RESOURCE_INVALID", message);
      }
    }
  }

  #conflict(
    entry: StoreEntry,
    contest: {
      readonly rival: ResourceDefinition;
      readonly wanted: ReadonlyMap<string, Claim>;
      readonly id: string | undefined;
      readonly uniqueness: UniquenessRule;
    },
  ): string | undefined {
    const { rival, wanted, id, uniqueness } = contest;
    const shared = this.#claimsOf(entry, rival).find(({ text }) => wanted.has(text));
    const owner = { kind: rival.kind, id: entry.key.slice(directoryOf(this.#scope.prefix, rival).length) };
    const isExempt = id !== undefined && (owner.id === id || uniqueness.isExempt?.(id, owner) === true);
    if (shared === undefined || isExempt) return undefined;
    return shared.conflict(owner);
  }

  #claimsOf(entry: StoreEntry, definition: ResourceDefinition): readonly Claim[] {
    const known = this.#claims.get(entry);
    if (known !== undefined) return known;
    const { catalog, keyring } = this.#scope;
    const stored = parseStoredResource(entry)?.value;
    const opened = stored === undefined ? undefined : secretsAtRest(definition, catalog, keyring).open(stored);
    const claims = opened === undefined ? [] : (definition.uniqueness?.claims(opened, catalog) ?? []);
    this.#claims.set(entry, claims);
    return claims;
  }
}

import { Map as PersistentMap } from "immutable";
import type { CompiledIdentifier, IdentityClaim } from "./snapshot.ts";

/** Who can be identified how: per plugin and identity those that claim it, the last one loaded last. */
export type IdentityIndex = PersistentMap<string, PersistentMap<string, readonly IdentityEntry[]>>;

/** One claim and whose it is. */
export interface IdentityEntry {
  readonly claim: IdentityClaim;
  readonly identifier: CompiledIdentifier;
}

/**
 * Brings the index up to date with one consumer or credential that changed, came or went. Of several with the same
 * identity, which the Admin API refuses, the last loaded counts (APISIX plugins, authentication flow).
 */
export function updateIdentities(
  index: IdentityIndex,
  before: CompiledIdentifier | undefined,
  after: CompiledIdentifier | undefined,
): IdentityIndex {
  let next = index;
  for (const claim of before?.claims ?? []) {
    next = edit(next, claim, (entries) => entries.filter(({ identifier }) => identifier !== before));
  }
  if (after === undefined) return next;
  for (const claim of after.claims) next = edit(next, claim, (entries) => [...entries, { claim, identifier: after }]);
  return next;
}

/** The entry that counts for an identity. */
export function findIdentity(index: IdentityIndex, plugin: string, identity: string): IdentityEntry | undefined {
  return index.get(plugin)?.get(identity)?.at(-1);
}

function edit(
  index: IdentityIndex,
  { identity, plugin }: IdentityClaim,
  change: (entries: readonly IdentityEntry[]) => readonly IdentityEntry[],
): IdentityIndex {
  // Without an identity nobody is found, but the plugin has somebody: key with no text of its own.
  const key = identity ?? "";
  const ofPlugin = index.get(plugin) ?? PersistentMap<string, readonly IdentityEntry[]>();
  const entries = change(ofPlugin.get(key) ?? []);
  const next = entries.length === 0 ? ofPlugin.delete(key) : ofPlugin.set(key, entries);
  return next.size === 0 ? index.delete(plugin) : index.set(plugin, next);
}

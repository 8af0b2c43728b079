import { GatewayError } from "@fngate/kernel";
import { keyOf, type ResourceDefinition } from "@fngate/schema";
import type { Place } from "./identifier.ts";
import { isJsonObject, type JsonObject, memberOf, withMember } from "./json.ts";
import type { ReferenceScope } from "./references.ts";

/** The object that a URL puts another one below; for most kinds there is none, and every check passes. */
export interface Owner {
  /** Whether it is looked up before the object itself is checked. */
  readonly isFirst: boolean;
  /** The object with its owner's id in it; raises `RESOURCE_INVALID` when it names another owner. */
  adopt(value: JsonObject): JsonObject;
  /** Raises `RESOURCE_INVALID` for a patch that names an owner. */
  assertUntouched(patch: unknown): void;
  /** Raises `RESOURCE_NOT_FOUND` unless the owner exists. */
  assertExists(scope: Pick<ReferenceScope, "store" | "prefix" | "kinds">): Promise<void>;
}

/** Reads the owner of a kind's objects off a {@link Place}. */
export function ownerOf({ naming }: ResourceDefinition, { parent }: Place): Owner {
  const rules = naming?.parent;
  if (rules === undefined || parent === undefined) return NOBODY;
  const { kind, missing, member, isFirst = false } = rules;
  return {
    isFirst,
    adopt: (value) => {
      if (member === undefined) return value;
      const named = memberOf(value, member.name);
      if (named !== undefined && String(named) !== parent) throw new GatewayError("RESOURCE_INVALID", member.wrong);
      return withMember(value, member.name, parent);
    },
    assertUntouched: (patch) => {
      if (member === undefined || !isJsonObject(patch) || memberOf(patch, member.name) === undefined) return;
      throw new GatewayError("RESOURCE_INVALID", member.patched);
    },
    assertExists: async ({ store, prefix, kinds }) => {
      const definition = kinds.byKind(kind);
      const entry = definition === undefined ? undefined : await store.get(keyOf(prefix, definition, parent));
      if (entry === undefined) throw new GatewayError("RESOURCE_NOT_FOUND", missing, { details: { isParent: true } });
    },
  };
}

const NOBODY: Owner = {
  isFirst: false,
  adopt: (value) => value,
  assertUntouched: () => {},
  assertExists: async () => {},
};

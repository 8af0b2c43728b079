import { type Kind, keyOf, type ResourceDefinition, registry } from "@fngate/schema";

/** Store key of an owner such as `route/1`; nothing for what is no stored object. */
export function ownerKey(prefix: string, owner: string): string | undefined {
  const slash = owner.indexOf("/");
  const definition: ResourceDefinition | undefined = registry.byKind(owner.slice(0, slash) as Kind);
  return definition === undefined ? undefined : keyOf(prefix, definition, owner.slice(slash + 1));
}

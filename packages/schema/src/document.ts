import type { ResourceDefinition } from "./definition.ts";
import { byUrlOrBody } from "./naming.ts";
import { registry } from "./resources/index.ts";

/** One object of a declarative document (`apisix.yaml`, `/configs`), told apart from the others as APISIX does. */
export interface DocumentItem {
  readonly definition: ResourceDefinition;
  /** What follows the kind's directory in its store key: `1`, `jack/credentials/c1`, `vault/v1`. */
  readonly id: string;
  /** False when the item has no id and was given one by its place, `arr_<n>`. */
  readonly isNamed: boolean;
  /** The object as the Admin API stores it; without `modifiedIndex`. */
  readonly value: Readonly<Record<string, unknown>>;
  /** `modifiedIndex`: as long as it stays the same, the object counts as unchanged. */
  readonly version: unknown;
}

/**
 * A reviver for YAML: an empty value is an empty table, as APISIX's reader has it. `key-auth:` alone is how files name a
 * plugin without configuration. Source: lyaml's null.
 */
export function emptyTableForNull(key: unknown, value: unknown): unknown {
  return value === null && key !== "" ? {} : value;
}

/** Kinds with a section of their own, named by their plural; objects that live below others are listed among those. */
export function documentSections(): readonly ResourceDefinition[] {
  return registry.all().filter(({ directory }) => directory === undefined);
}

/** The kind of an item: a consumer's credential stands among the consumers, with the longer id that its key has. */
export function kindOfItem(section: ResourceDefinition, id: string): ResourceDefinition {
  const guest = registry.all().find((kind) => kind.directory === section.plural && kind.idPattern?.test(id) === true);
  return guest ?? section;
}

/** Reads one item of a section; `index` counts from 0. Nothing of the value is checked. APISIX: config_yaml. */
export function readDocumentItem(
  section: ResourceDefinition,
  item: Readonly<Record<string, unknown>>,
  index: number,
): DocumentItem {
  const { id: rawId, modifiedIndex: version, ...body } = item;
  const given = textOf(Object.hasOwn(item, "id") ? rawId : undefined);
  const definition = given === undefined ? section : kindOfItem(section, given);
  const { label, naming } = definition;
  const isBelow = naming?.parent !== undefined;
  const urlId = isBelow ? given?.slice(given.lastIndexOf("/") + 1) : given;
  const named = (naming?.identify ?? byUrlOrBody)({ label, urlId, body });
  const ownId = named.ok ? textOf(named.id) : undefined;
  const id = (isBelow ? given : ownId) ?? given;
  if (named.ok && id !== undefined) return { definition, id, isNamed: true, value: named.value, version };
  const placed = `arr_${index + 1}`;
  return { definition, id: placed, isNamed: false, value: { ...body, id: placed }, version };
}

function textOf(id: unknown): string | undefined {
  return (typeof id === "string" && id !== "") || typeof id === "number" ? String(id) : undefined;
}

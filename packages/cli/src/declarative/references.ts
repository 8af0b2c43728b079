import type { PluginCatalog } from "@fngate/plugin-kit";
import type { ResourceDefinition } from "@fngate/schema";

/** An object by kind and by the id of its store key. */
export interface Target {
  readonly kind: string;
  readonly id: string;
}

/** What {@link referencesOf} and {@link inOrder} look at of an object. */
export interface Referrer {
  readonly definition: ResourceDefinition;
  readonly id: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** One text for an object. */
export function nameOf({ kind, id }: Target): string {
  return `${kind} ${id}`;
}

/** The objects that an object names by itself: these have to exist. */
export function referencesOf({ definition, id, value }: Referrer): readonly Target[] {
  const parent = definition.naming?.parent;
  const owner = parent === undefined ? [] : [{ kind: parent.kind, id: id.split("/", 1)[0] ?? "" }];
  const named = definition.references.flatMap(({ path, kind }) =>
    idsAt(value, path).map((each) => ({ kind, id: each })),
  );
  return [...owner, ...named];
}

/** The objects that its plugins name; nobody refuses an object for these, but whoever has the choice writes them first. */
function pluginReferencesOf({ value }: Referrer, catalog: PluginCatalog): readonly Target[] {
  const { plugins } = value;
  if (typeof plugins !== "object" || plugins === null) return [];
  return Object.entries(plugins).flatMap(([name, conf]) => {
    const references = catalog.get(name)?.references ?? [];
    return references.flatMap(({ path, kind }) => idsAt(conf, path.split(".")).map((id) => ({ kind, id })));
  });
}

/** Objects so that each comes after those that it names; otherwise in the order they are in. */
export function inOrder<TObject extends Referrer>(objects: readonly TObject[], catalog: PluginCatalog): TObject[] {
  const byName = new Map(objects.map((object) => [nameOf({ kind: object.definition.kind, id: object.id }), object]));
  const placed = new Set<TObject>();
  const place = (object: TObject) => {
    // Noted before its references: a circle of them has no order anyway.
    if (placed.has(object)) return;
    placed.add(object);
    for (const target of [...referencesOf(object), ...pluginReferencesOf(object, catalog)]) {
      const named = byName.get(nameOf(target));
      if (named !== undefined) place(named);
    }
    ordered.push(object);
  };
  const ordered: TObject[] = [];
  for (const object of objects) place(object);
  return ordered;
}

/** Ids as text, through arrays on the way. */
function idsAt(value: unknown, path: readonly string[]): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => idsAt(item, path));
  const [name, ...rest] = path;
  if (name === undefined) return typeof value === "string" || typeof value === "number" ? [String(value)] : [];
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return [];
  return idsAt(Object(value)[name], rest);
}

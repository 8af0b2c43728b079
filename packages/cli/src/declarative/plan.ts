import type { PluginCatalog } from "@fngate/plugin-kit";
import type { ResourceDefinition } from "@fngate/schema";
import { differences, type Value, writableValue } from "./comparable.ts";
import type { LiveObject } from "./live-configuration.ts";
import { inOrder, nameOf } from "./references.ts";

/** An object as a file wants it. */
export interface WantedObject {
  readonly definition: ResourceDefinition;
  readonly id: string;
  readonly value: Value;
}

/** One write. `before` is what is there, `after` what is to be there. */
export type Step =
  | { readonly action: "create"; readonly after: WantedObject }
  | {
      readonly action: "change";
      readonly before: LiveObject;
      readonly after: WantedObject;
      readonly paths: readonly string[];
    }
  | { readonly action: "delete"; readonly before: LiveObject };

/** What makes a gateway's configuration a file's. */
export interface Plan {
  /** In the order they are done. */
  readonly steps: readonly Step[];
  /** How many objects are as the file wants them. */
  readonly unchanged: number;
  /** Objects that the file does not have and that stay. */
  readonly kept: readonly LiveObject[];
}

/** What {@link planChanges} compares. */
export interface PlanRequest {
  readonly wanted: readonly WantedObject[];
  readonly live: readonly LiveObject[];
  /** Whether objects that the file does not have are deleted. */
  readonly isPruning: boolean;
  readonly catalog: PluginCatalog;
}

/**
 * Compares a file with what is there. Objects are written after those that they name and deleted before them. What an
 * Admin API does not show of an object cannot be put back, so changes of such objects come last of the writes.
 */
export function planChanges({ wanted, live, isPruning, catalog }: PlanRequest): Plan {
  const liveByName = new Map(live.map((object) => [objectName(object), object]));
  const steps = inOrder(wanted, catalog).flatMap((after): Step[] => {
    const before = liveByName.get(objectName(after));
    const written = { ...after, value: writableValue(after.definition, after.value) };
    if (before === undefined) return [{ action: "create", after: written }];
    const paths = differences(after.definition, before.value, after.value);
    return paths.length === 0 ? [] : [{ action: "change", before, after: written, paths }];
  });
  const wantedNames = new Set(wanted.map(objectName));
  const surplus = live.filter((object) => !wantedNames.has(objectName(object)));
  const deletions = inOrder(surplus, catalog).toReversed();
  return {
    steps: [
      ...steps.filter((step) => !isIrreversible(step)),
      ...steps.filter(isIrreversible),
      ...(isPruning ? deletions.map((before): Step => ({ action: "delete", before })) : []),
    ],
    unchanged: wanted.length - steps.length,
    kept: isPruning ? [] : surplus,
  };
}

/** Tells whether what a step replaces is not wholly known. */
export function isIrreversible(step: Step): boolean {
  return step.action !== "create" && (step.before.definition.hiddenFields ?? []).length > 0;
}

/** One text for an object, whichever side it is from. */
export function objectName({ definition, id }: Pick<WantedObject, "definition" | "id">): string {
  return nameOf({ kind: definition.kind, id });
}

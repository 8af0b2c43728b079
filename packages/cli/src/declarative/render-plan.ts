import type { LiveObject } from "./live-configuration.ts";
import type { Plan, Step, WantedObject } from "./plan.ts";

const MARKS = { create: "+", change: "~", delete: "-" } as const;

/** Paths of one change that are named. */
const MAX_PATHS = 6;

/** A plan for people: a line for each write, in order, and what stays. Values are not shown: some are secrets. */
export function renderPlan({ steps, unchanged, kept }: Plan): string {
  const count = (action: Step["action"]) => steps.filter((step) => step.action === action).length;
  const lines = steps.map((step) => `  ${MARKS[step.action]} ${titleOf(objectOf(step))}${pathsOf(step)}`);
  const summary = `${count("create")} to create, ${count("change")} to change, ${count("delete")} to delete, ${unchanged} as they are`;
  const left =
    kept.length === 0 ? [] : [`${kept.length} not in the file stay (--prune deletes them): ${some(kept.map(titleOf))}`];
  return `${[...lines, summary, ...left].join("\n")}\n`;
}

/** A step in a message. */
export function renderStep(step: Step): string {
  return `${step.action} ${titleOf(objectOf(step))}`;
}

function objectOf(step: Step): WantedObject | LiveObject {
  return step.action === "delete" ? step.before : step.after;
}

function titleOf({ definition, id }: WantedObject | LiveObject): string {
  return `${definition.label} ${id}`;
}

function pathsOf(step: Step): string {
  return step.action === "change" ? `: ${some(step.paths)}` : "";
}

function some(names: readonly string[]): string {
  const more = names.length - MAX_PATHS;
  return more > 0 ? `${names.slice(0, MAX_PATHS).join(", ")} and ${more} more` : names.join(", ");
}

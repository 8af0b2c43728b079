import { compilePipeline, type Pipeline } from "@fngate/plugin-kit";
import type { Diagnostic } from "../diagnostic.ts";
import type { Held } from "./held.ts";
import type { CompiledGlobalRule, ObjectPlugin } from "./snapshot.ts";

/** All global rules as one. */
export interface GlobalPlugins {
  readonly pipeline: Pipeline;
  readonly held: readonly Held[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Merges global rules; a plugin that two of them have runs in neither (APISIX routing, precedence). */
export function mergeGlobalRules(rules: readonly CompiledGlobalRule[]): GlobalPlugins {
  const owners = new Map<string, string[]>();
  const plugins: ObjectPlugin[] = [];
  for (const rule of rules) {
    for (const plugin of rule.plugins) {
      plugins.push(plugin);
      const ids = owners.get(plugin.name) ?? [];
      ids.push(rule.id);
      owners.set(plugin.name, ids);
    }
  }
  const isOnlyOne = ({ name }: ObjectPlugin): boolean => owners.get(name)?.length === 1;
  return {
    pipeline: compilePipeline(plugins.filter((plugin) => isOnlyOne(plugin) && !plugin.isDisabled)),
    held: rules.map((rule) => rule.held),
    diagnostics: [...owners]
      .filter(([, ids]) => ids.length > 1)
      .flatMap(([name, ids]) => ids.map((id) => duplicate(name, id))),
  };
}

function duplicate(name: string, id: string): Diagnostic {
  return {
    kind: "global_rule",
    id,
    severity: "error",
    code: "DUPLICATE_GLOBAL_PLUGIN",
    path: `plugins.${name}`,
    message: `plugin [${name}] is in several global rules and runs in none`,
  };
}

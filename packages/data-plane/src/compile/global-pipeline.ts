import { compilePipeline, type Pipeline } from "@fngate/plugin-kit";
import type { Diagnostic } from "../diagnostic.ts";
import type { MergedPlugins } from "./consumer-overlays.ts";
import type { Held } from "./held.ts";
import type { CompiledGlobalRule, ObjectPlugin } from "./snapshot.ts";

/** The plugins of all global rules. */
export class GlobalPlugins {
  static readonly none = new GlobalPlugins([]);
  readonly pipeline: Pipeline;
  readonly #plugins: readonly ObjectPlugin[];
  /** Names of those that routes may have in their place. */
  readonly #yielding: readonly string[];
  /** By the names that are left out; as many as there are sets of such plugins, which are one or two. */
  readonly #reduced = new Map<string, Pipeline>();

  constructor(plugins: readonly ObjectPlugin[]) {
    this.#plugins = plugins;
    this.pipeline = compilePipeline(plugins);
    this.#yielding = plugins.filter(({ prefersRoute }) => prefersRoute).map(({ name }) => name);
  }

  /** What runs beside the plugins of a route (APISIX: `run_policy`). */
  beside({ plugins }: MergedPlugins): Pipeline {
    if (this.#yielding.length === 0) return this.pipeline;
    const absent = this.#yielding.filter((name) => plugins.some((one) => one.name === name && !one.isDisabled));
    if (absent.length === 0) return this.pipeline;
    const key = absent.join();
    let pipeline = this.#reduced.get(key);
    if (pipeline === undefined) {
      pipeline = compilePipeline(this.#plugins.filter(({ name }) => !absent.includes(name)));
      this.#reduced.set(key, pipeline);
    }
    return pipeline;
  }
}

/** All global rules as one. */
export interface MergedRules {
  readonly plugins: GlobalPlugins;
  readonly held: readonly Held[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Merges global rules; a plugin that two of them have runs in neither (APISIX routing, precedence). */
export function mergeGlobalRules(rules: readonly CompiledGlobalRule[]): MergedRules {
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
    plugins: new GlobalPlugins(plugins.filter((plugin) => isOnlyOne(plugin) && !plugin.isDisabled)),
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

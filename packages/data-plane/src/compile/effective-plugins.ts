import { compilePipeline, EMPTY_PIPELINE } from "@fngate/plugin-kit";
import type { MergedPlugins } from "./consumer-overlays.ts";
import type { CompiledPluginConfig, CompiledService, ObjectPlugin } from "./snapshot.ts";

/**
 * The plugins a route runs: its own, then those of its plugin config, then those of its service, one per name, the
 * whole configuration winning (APISIX routing, precedence). Remembers the last merge, so that a request costs two
 * comparisons and a changed service costs its routes nothing until they are asked for.
 */
export class EffectivePlugins {
  readonly #own: readonly ObjectPlugin[];
  #pluginConfig: CompiledPluginConfig | undefined;
  #service: CompiledService | undefined;
  /** Absent until a request asks: of 100,000 routes most never see one between two changes. */
  #merged: MergedPlugins | undefined;

  constructor(own: readonly ObjectPlugin[]) {
    this.#own = own;
  }

  /** The plugins for the objects that the request's snapshot holds. */
  with(pluginConfig: CompiledPluginConfig | undefined, service: CompiledService | undefined): MergedPlugins {
    if (this.#merged !== undefined && pluginConfig === this.#pluginConfig && service === this.#service) {
      return this.#merged;
    }
    const merged = merge([this.#own, pluginConfig?.plugins ?? [], service?.plugins ?? []]);
    this.#merged = merged;
    this.#pluginConfig = pluginConfig;
    this.#service = service;
    return merged;
  }
}

/** What routes without plugins have: one object, so that they cost nothing. */
export const NO_PLUGINS: MergedPlugins = Object.freeze({ plugins: [], pipeline: EMPTY_PIPELINE });

/** Highest precedence first. */
function merge(levels: readonly (readonly ObjectPlugin[])[]): MergedPlugins {
  const byName = new Map<string, ObjectPlugin>();
  for (const level of levels) {
    for (const plugin of level) if (!byName.has(plugin.name)) byName.set(plugin.name, plugin);
  }
  if (byName.size === 0) return NO_PLUGINS;
  const plugins = [...byName.values()];
  return { plugins, pipeline: compilePipeline(plugins.filter((plugin) => !plugin.isDisabled)) };
}

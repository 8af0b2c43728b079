import { compilePipeline, type Pipeline } from "@fngate/plugin-kit";
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
  #pipeline: Pipeline | undefined;

  constructor(own: readonly ObjectPlugin[]) {
    this.#own = own;
  }

  /** The pipeline for the objects that the request's snapshot holds. */
  with(pluginConfig: CompiledPluginConfig | undefined, service: CompiledService | undefined): Pipeline {
    if (this.#pipeline !== undefined && pluginConfig === this.#pluginConfig && service === this.#service) {
      return this.#pipeline;
    }
    const pipeline = merge([this.#own, pluginConfig?.plugins ?? [], service?.plugins ?? []]);
    this.#pipeline = pipeline;
    this.#pluginConfig = pluginConfig;
    this.#service = service;
    return pipeline;
  }
}

/** Highest precedence first. */
function merge(levels: readonly (readonly ObjectPlugin[])[]): Pipeline {
  const byName = new Map<string, ObjectPlugin>();
  for (const level of levels) {
    for (const plugin of level) if (!byName.has(plugin.name)) byName.set(plugin.name, plugin);
  }
  return compilePipeline([...byName.values()].filter((plugin) => !plugin.isDisabled));
}

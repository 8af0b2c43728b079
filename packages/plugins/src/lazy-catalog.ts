import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import { pluginExports } from "./plugin-exports.ts";

/** Pause between two plugins that are loaded ahead, milliseconds: requests come first. */
const PAUSE_MS = 10;

/** A catalog that loads a plugin when it is first asked for: a start then compiles what its configuration uses. */
export interface LazyCatalog extends PluginCatalog {
  /** Whether there is such a plugin, without loading it. */
  has(name: string): boolean;
  /** Loads what is left, one by one; ends early when the signal fires. Nobody has to wait for all at once later. */
  loadAhead(signal: AbortSignal): Promise<void>;
}

/** The plugins of `createCatalog`, loaded from Node's own module cache. It needs a process of its own, not a bundler. */
export function createLazyCatalog(enabledNames?: readonly string[]): LazyCatalog {
  return new LoadingCatalog(enabledNames);
}

const require = createRequire(import.meta.url);

class LoadingCatalog implements LazyCatalog {
  readonly #exports: ReadonlyMap<string, string>;
  readonly #loaded = new Map<string, PluginDefinition>();
  #all: readonly PluginDefinition[] | undefined;

  constructor(enabledNames: readonly string[] | undefined) {
    const enabled = enabledNames ?? Object.keys(pluginExports);
    this.#exports = new Map(Object.entries(pluginExports).filter(([name]) => enabled.includes(name)));
  }

  has(name: string): boolean {
    return this.#exports.has(name);
  }

  get(name: string): PluginDefinition | undefined {
    const exported = this.#exports.get(name);
    if (exported === undefined) return undefined;
    let plugin = this.#loaded.get(name);
    if (plugin === undefined) {
      const module: Readonly<Record<string, PluginDefinition>> = require(`#plugin/${name}`);
      plugin = module[exported];
      if (plugin === undefined) throw new Error(`plugin ${name} has no export ${exported}`);
      this.#loaded.set(name, plugin);
    }
    return plugin;
  }

  all(): readonly PluginDefinition[] {
    this.#all ??= [...this.#exports.keys()]
      .flatMap((name) => this.get(name) ?? [])
      .toSorted((a, b) => b.priority - a.priority);
    return this.#all;
  }

  async loadAhead(signal: AbortSignal): Promise<void> {
    for (const name of this.#exports.keys()) {
      await sleep(PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      this.get(name);
    }
  }
}

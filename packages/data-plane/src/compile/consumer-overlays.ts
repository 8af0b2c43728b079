import { compilePipeline, type Pipeline, type RequestHook } from "@fngate/plugin-kit";
import type { CompiledConsumer, ObjectPlugin } from "./snapshot.ts";

/** A route's plugins with those of whoever calls laid over them. */
export interface ConsumerOverlay {
  readonly pipeline: Pipeline;
  /** Rewrite phases of plugins that the route does not have itself: they run once it is known who calls. */
  readonly rewrite: readonly RequestHook[];
}

/** The plugins a route has by itself, and the pipeline they make. */
export interface MergedPlugins {
  readonly plugins: readonly ObjectPlugin[];
  readonly pipeline: Pipeline;
}

/** Somebody with plugins: a consumer or a group of them. */
export type PluginOwner = Pick<CompiledConsumer, "plugins">;

/** Overlays kept; the one that was made first goes first. One costs a few hundred bytes and a merge some microseconds. */
const MOST_OVERLAYS = 10_000;

const NO_HOOKS: readonly RequestHook[] = Object.freeze([]);

/**
 * Lays the plugins of consumers and their groups over those of routes: consumer, group, route, one per name, the whole
 * configuration winning (APISIX routing, precedence). What was merged is kept, so that a request costs a look-up.
 */
export class ConsumerOverlays {
  readonly #kept = new Map<string, ConsumerOverlay>();
  readonly #numbers = new WeakMap<object, number>();
  #lastNumber = 0;

  /** The overlay for one caller on one route; nothing when neither consumer nor group has plugins. */
  of(base: MergedPlugins, consumer: PluginOwner, group: PluginOwner | undefined): ConsumerOverlay | undefined {
    const ofGroup = group?.plugins ?? [];
    if (consumer.plugins.length + ofGroup.length === 0) return undefined;
    const key = `${this.#numberOf(base)} ${this.#numberOf(consumer)} ${group === undefined ? 0 : this.#numberOf(group)}`;
    let overlay = this.#kept.get(key);
    if (overlay === undefined) {
      overlay = layOver(base, [consumer.plugins, ofGroup]);
      if (this.#kept.size >= MOST_OVERLAYS) this.#dropOldest();
      this.#kept.set(key, overlay);
    }
    return overlay;
  }

  #numberOf(object: object): number {
    let number = this.#numbers.get(object);
    if (number === undefined) {
      this.#lastNumber += 1;
      number = this.#lastNumber;
      this.#numbers.set(object, number);
    }
    return number;
  }

  #dropOldest(): void {
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}

function layOver(base: MergedPlugins, levels: readonly (readonly ObjectPlugin[])[]): ConsumerOverlay {
  const byName = new Map<string, ObjectPlugin>();
  for (const level of [...levels, base.plugins]) {
    for (const plugin of level) if (!byName.has(plugin.name)) byName.set(plugin.name, plugin);
  }
  const ofRoute = new Set(base.plugins.map(({ name }) => name));
  const merged = [...byName.values()].filter(({ isDisabled }) => !isDisabled);
  const late = merged.filter(({ name }) => !ofRoute.has(name));
  return {
    pipeline: compilePipeline(merged),
    rewrite: late.length === 0 ? NO_HOOKS : compilePipeline(late).rewrite,
  };
}

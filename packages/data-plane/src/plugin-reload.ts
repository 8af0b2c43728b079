import { type Logger, messageOf } from "@fngate/kernel";
import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import type { StoreEntry } from "@fngate/store";
import type { MirrorChange } from "./mirror/mirror.ts";

export interface PluginReloadOptions {
  readonly catalog: PluginCatalog;
  /** Key prefix in the store. */
  readonly prefix: string;
  /** Loads the plugins again; absent: they are what they are. */
  readonly load: (() => Promise<void>) | undefined;
  readonly logger: Logger;
  /** Has the objects compiled again that the test is true for. */
  readonly recompile: (isConcerned: (entry: StoreEntry) => boolean) => void;
  /** Called when plugins changed, before objects are compiled again. */
  readonly onChanged: () => void;
}

/**
 * Loads plugins again when a control plane says so, which it does by writing the key `plugins` (APISIX: plugin reload),
 * or whoever asks this process.
 * Objects that use a plugin that changed get the new one; requests under way end with the old.
 */
export class PluginReload {
  readonly #options: PluginReloadOptions;
  #known: ReadonlyMap<string, PluginDefinition>;
  #running: Promise<void> = Promise.resolve();

  constructor(options: PluginReloadOptions) {
    this.#options = options;
    // Looking at all plugins loads them, which is of no use where none can change.
    this.#known = options.load === undefined ? new Map() : byName(options.catalog);
  }

  /** Looks at what is new in the store. */
  note(changes: readonly MirrorChange[]): void {
    const { prefix } = this.#options;
    if (changes.some(({ key }) => key === `${prefix}/plugins`)) void this.reload();
  }

  /** Loads the plugins again; resolves when that is over, to false where they are what they are. */
  async reload(): Promise<boolean> {
    const { load } = this.#options;
    if (load === undefined) return false;
    this.#running = this.#running.then(() => this.#reload(load));
    await this.#running;
    return true;
  }

  async #reload(load: () => Promise<void>): Promise<void> {
    const { catalog, logger, onChanged, recompile } = this.#options;
    try {
      await load();
    } catch (error) {
      logger.error({ reason: messageOf(error) }, "plugins cannot be loaded again, those there are stay");
    }
    // In a process with the Admin API somebody else may have loaded them already.
    const now = byName(catalog);
    const names = new Set([...this.#known.keys(), ...now.keys()]);
    const changed = [...names].filter((name) => now.get(name) !== this.#known.get(name));
    this.#known = now;
    if (changed.length === 0) return;
    onChanged();
    const marks = changed.map((name) => ({ quoted: JSON.stringify(name), metadata: `/plugin_metadata/${name}` }));
    recompile(({ key, value }) =>
      marks.some(({ metadata, quoted }) => value.includes(quoted) || key.endsWith(metadata)),
    );
    logger.info({ plugins: changed }, "plugins loaded again");
  }
}

function byName(catalog: PluginCatalog): ReadonlyMap<string, PluginDefinition> {
  return new Map(catalog.all().map((plugin) => [plugin.name, plugin]));
}

import { relative } from "node:path";
import { GatewayError, isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import { checkPlugin, pluginsIn } from "./check-plugin.ts";
import { findPluginFolders, type PluginFolder } from "./plugin-folders.ts";
import { importPlugin } from "./plugin-modules.ts";

/** Where the user's own plugins are; `names` are those of `fngate.plugin_paths`. */
export interface UserPluginPaths {
  readonly names: readonly string[];
  /** Of the configuration file. */
  readonly directory: string;
}

export interface UserCatalogOptions extends UserPluginPaths {
  /** The plugins that come with the gateway, enabled or not: their names are taken. */
  readonly builtin: PluginCatalog;
  /** Names of the plugins that objects may use; absent: all. */
  readonly enabled: readonly string[] | undefined;
  readonly logger: Logger;
}

/** Built-in plugins together with the user's own, which can be loaded again while the process runs. */
export class UserCatalog implements PluginCatalog {
  readonly #options: UserCatalogOptions;
  #byName: ReadonlyMap<string, PluginDefinition> = new Map();
  #all: readonly PluginDefinition[] = [];
  #loading: Promise<void> = Promise.resolve();

  private constructor(options: UserCatalogOptions) {
    this.#options = options;
  }

  /** Loads the plugins. Raises `PLUGIN_INVALID` with everything that is wrong in `details.problems`. */
  static async open(options: UserCatalogOptions): Promise<UserCatalog> {
    const catalog = new UserCatalog(options);
    await catalog.#load();
    return catalog;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get(name: string): PluginDefinition | undefined {
    return this.#byName.get(name);
  }

  all(): readonly PluginDefinition[] {
    return this.#all;
  }

  /** Loads the plugins again, one reload after the other; raises as {@link open} does, and then nothing changed. */
  reload(): Promise<void> {
    const loaded = this.#loading.then(() => this.#load());
    this.#loading = loaded.catch(() => {});
    return loaded;
  }

  async #load(): Promise<void> {
    const { builtin, directory, enabled, logger, names } = this.#options;
    const folders = await findPluginFolders(names, directory);
    const loaded = new Map<string, LoadedPlugin>();
    const problems: string[] = [];
    for (const folder of folders) {
      const title = titleOf(folder.entry, directory);
      problems.push(...(await loadFolder(folder, loaded, builtin)).map((problem) => `plugin ${title}: ${problem}`));
    }
    if (problems.length > 0) throw new GatewayError("PLUGIN_INVALID", problems.join("; "), { details: { problems } });
    const own = [...loaded.values()].map(({ definition }) => definition);
    const isEnabled = ({ name }: PluginDefinition): boolean => enabled === undefined || enabled.includes(name);
    this.#all = [...builtin.all(), ...own].filter(isEnabled).toSorted((a, b) => b.priority - a.priority);
    this.#byName = new Map(this.#all.map((plugin) => [plugin.name, plugin]));
    logger.info({ plugins: [...loaded.keys()] }, "own plugins loaded");
  }
}

interface LoadedPlugin {
  readonly definition: PluginDefinition;
  readonly folder: PluginFolder;
}

/** Adds the plugins of a folder; what is returned is wrong with them. */
async function loadFolder(
  folder: PluginFolder,
  loaded: Map<string, LoadedPlugin>,
  builtin: PluginCatalog,
): Promise<readonly string[]> {
  let found: readonly unknown[];
  try {
    found = pluginsIn(await importPlugin(folder));
  } catch (error) {
    return [isGatewayError(error) ? error.message : `it cannot be loaded: ${reasonOf(error)}`];
  }
  if (found.length === 0) return ["it exports no plugin; write export default definePlugin({ ... })"];
  return found.flatMap((value) => {
    const checked = checkPlugin(value);
    if (isProblems(checked)) return checked;
    const other = loaded.get(checked.name)?.folder.path;
    if (other !== undefined) return [`its name ${checked.name} is that of the plugin in ${other}; choose another one`];
    if (builtin.get(checked.name) !== undefined)
      return [`its name ${checked.name} is that of a built-in plugin; choose another one`];
    loaded.set(checked.name, { definition: checked, folder });
    return [];
  });
}

function isProblems(checked: PluginDefinition | readonly string[]): checked is readonly string[] {
  return Array.isArray(checked);
}

/** Where a syntax error of TypeScript is stands in the first line of its stack only. */
function reasonOf(error: unknown): string {
  const place = error instanceof SyntaxError ? error.stack?.split("\n")[0] : undefined;
  return place !== undefined && /:\d+$/.test(place) ? `${messageOf(error)} (${place})` : messageOf(error);
}

/** Relative only where that is shorter to read. */
function titleOf(path: string, directory: string): string {
  const title = relative(directory, path);
  return title.startsWith("..") ? path : title;
}

import { readdir, readFile, stat } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { GatewayError, messageOf } from "@fngate/kernel";

/** A folder with the sources of a plugin. */
export interface PluginFolder {
  /** Absolute. */
  readonly path: string;
  /** Absolute path of the module that is loaded. */
  readonly entry: string;
}

/** Modules that are looked for where no `package.json` names one. */
const ENTRIES = ["index.ts", "index.mts", "index.js", "index.mjs"];

/**
 * Finds the plugins that `fngate.plugin_paths` names: a path (it begins with a dot or a slash) is a plugin's folder, or
 * a folder of such folders; anything else is the name of a package, looked up from `directory`. Raises `PLUGIN_INVALID`.
 */
export async function findPluginFolders(names: readonly string[], directory: string): Promise<readonly PluginFolder[]> {
  const folders: PluginFolder[] = [];
  for (const name of names) folders.push(...(await foldersOf(name, directory)));
  return folders;
}

async function foldersOf(name: string, directory: string): Promise<readonly PluginFolder[]> {
  const path = isPath(name) ? resolve(directory, name) : packageFolder(name, directory);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw invalid(name, `${path} is no folder; make it, or take the name out`);
  const own = await entryOf(path);
  if (own !== undefined) return [{ path, entry: own }];
  const inner = await innerFolders(path);
  if (inner.length === 0)
    throw invalid(name, `there is no plugin in ${path}; a plugin has an index.ts or a package.json`);
  return inner;
}

async function innerFolders(path: string): Promise<readonly PluginFolder[]> {
  const names = (await readdir(path, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .map((entry) => join(path, entry.name))
    .toSorted();
  const entries = await Promise.all(names.map(async (inner) => ({ path: inner, entry: await entryOf(inner) })));
  return entries.flatMap(({ path: inner, entry }) => (entry === undefined ? [] : [{ path: inner, entry }]));
}

function isPath(name: string): boolean {
  return name.startsWith(".") || isAbsolute(name);
}

function packageFolder(name: string, directory: string): string {
  const base = pathToFileURL(join(directory, "config.yaml"));
  let found: string | undefined;
  try {
    found = findPackageJSON(name, base);
  } catch (error) {
    throw invalid(name, `there is no such package: ${messageOf(error)}`);
  }
  if (found === undefined)
    throw invalid(name, `there is no such package in ${directory} or above; a path begins with ./`);
  return dirname(found);
}

async function entryOf(folder: string): Promise<string | undefined> {
  const named = await namedEntry(join(folder, "package.json"));
  for (const entry of named === undefined ? ENTRIES : [named]) {
    const path = join(folder, entry);
    const isThere = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** What a `package.json` says its module is; nothing where there is none, or where it says nothing. */
async function namedEntry(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw invalid(path, `it is no JSON: ${messageOf(error)}`);
  }
  return mainOf(Reflect.get(Object(manifest), "exports")) ?? mainOf(Reflect.get(Object(manifest), "main"));
}

/** The module that a value of `exports` leads an `import` to. */
function mainOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  for (const key of [".", "import", "default"]) {
    const found = Object.hasOwn(value, key) ? mainOf(Reflect.get(value, key)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function invalid(name: string, problem: string): GatewayError {
  const text = `plugin_paths: ${name}: ${problem}`;
  return new GatewayError("PLUGIN_INVALID", text, { details: { problems: [text] } });
}

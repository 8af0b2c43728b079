import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { renderConfigTable } from "./config-table.ts";
import { renderPluginsPage } from "./plugins-page.ts";

/** A file as it should be. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

const SOURCES = join(import.meta.dirname, "../src");

/** Of the formatter's configuration. */
const LINE_WIDTH = 120;

const TABLE_START = "<!-- config table: generated from schema.ts by `pnpm gen` -->";
const TABLE_END = "<!-- end of config table -->";

/** The catalog and its parts, the page about all plugins and every plugin's README, as the folders and schemas want them. */
export async function generateFiles(): Promise<readonly GeneratedFile[]> {
  const names = pluginFolders();
  const plugins = await Promise.all(names.map(definitionOf));
  return [
    { path: join(SOURCES, "catalog.ts"), text: renderCatalog(names) },
    { path: join(SOURCES, "plugin-exports.ts"), text: renderExports(names) },
    { path: join(SOURCES, "../docs/plugins.md"), text: renderPluginsPage(plugins, SOURCES) },
    ...plugins.map(readmeOf),
  ];
}

/** A folder with a schema is a plugin; the others hold what plugins share. */
function pluginFolders(): readonly string[] {
  return readdirSync(SOURCES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(SOURCES, entry.name, "schema.ts")))
    .map((entry) => entry.name)
    .toSorted();
}

function renderCatalog(names: readonly string[]): string {
  const imports = names.map((name) => `import { ${exportNameOf(name)} } from "./${name}/index.ts";`);
  return [
    "// Generated from the folder names by `pnpm gen`; do not edit.",
    'import type { PluginDefinition } from "@fngate/plugin-kit";',
    ...imports,
    "",
    "/** Every plugin of this package, by name. */",
    renderList(names.map(exportNameOf)),
    "",
  ].join("\n");
}

/** For whoever loads plugins one by one. */
function renderExports(names: readonly string[]): string {
  const keyOf = (name: string) => (/^\w+$/.test(name) ? name : JSON.stringify(name));
  return [
    "// Generated from the folder names by `pnpm gen`; do not edit.",
    "",
    "/** What the module of every plugin exports the plugin as. */",
    "export const pluginExports: Readonly<Record<string, string>> = {",
    ...names.map((name) => `  ${keyOf(name)}: ${JSON.stringify(exportNameOf(name))},`),
    "};",
    "",
  ].join("\n");
}

/** On one line while it fits, then one name per line, as the formatter has it. */
function renderList(exports: readonly string[]): string {
  const start = "export const builtinPlugins: readonly PluginDefinition[] = [";
  const line = `${start}${exports.join(", ")}];`;
  return line.length <= LINE_WIDTH ? line : [start, ...exports.map((name) => `  ${name},`), "];"].join("\n");
}

/** `proxy-rewrite` is exported as `proxyRewrite`. */
function exportNameOf(folder: string): string {
  return folder.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function readmeOf({ name, schema }: PluginDefinition): GeneratedFile {
  const path = join(SOURCES, name, "README.md");
  const text = readFileSync(path, "utf8");
  const start = text.indexOf(TABLE_START);
  const end = text.indexOf(TABLE_END);
  if (start === -1 || end < start) throw new Error(`${name}/README.md has no place for its config table`);
  const table = renderConfigTable(schema);
  return { path, text: `${text.slice(0, start)}${TABLE_START}\n\n${table}\n\n${text.slice(end)}` };
}

/** The plugin of a folder; the catalog need not have it yet. */
async function definitionOf(name: string): Promise<PluginDefinition> {
  const module: unknown = await import(pathToFileURL(join(SOURCES, name, "index.ts")).href);
  const definition: unknown = Reflect.get(Object(module), exportNameOf(name));
  if (!isDefinition(definition)) throw new Error(`${name}/index.ts does not export ${exportNameOf(name)}`);
  return definition;
}

function isDefinition(value: unknown): value is PluginDefinition {
  return typeof value === "object" && value !== null && "setup" in value && "priority" in value;
}

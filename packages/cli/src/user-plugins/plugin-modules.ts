import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { registerHooks } from "node:module";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { GatewayError } from "@fngate/kernel";
import type { PluginFolder } from "./plugin-folders.ts";

/** Query argument by which a module of a plugin is told from its earlier versions. */
const VERSION = "fngate-version";

/** More than any plugin has; a folder with more was most likely not meant. */
const MOST_FILES = 2_000;

/** What plugins get from the gateway, so that there is one of each and a plugin need not bring it. */
const PROVIDED = /^(?:@fngate\/(?:plugin-kit|kernel)|zod(?:\/.*)?)$/;

/** URLs of the folders that plugins were loaded from, each ending in a slash. */
const roots = new Set<string>();

let isHooked = false;

/**
 * Loads the module of a plugin. Modules never leave the memory of a process, so each state of a folder is loaded under
 * addresses of its own; a folder that did not change gives the very same module. Throws what the module throws.
 */
export async function importPlugin(folder: PluginFolder): Promise<Readonly<Record<string, unknown>>> {
  hookOnce();
  roots.add(`${pathToFileURL(folder.path).href}/`);
  const url = pathToFileURL(folder.entry);
  url.searchParams.set(VERSION, await digestOf(folder.path));
  return (await import(url.href)) as Readonly<Record<string, unknown>>;
}

function hookOnce(): void {
  if (isHooked) return;
  isHooked = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const { parentURL } = context;
      const root = parentURL === undefined ? undefined : rootOf(parentURL);
      if (parentURL === undefined || root === undefined) return nextResolve(specifier, context);
      if (PROVIDED.test(specifier)) return nextResolve(specifier, { ...context, parentURL: import.meta.url });
      const resolved = nextResolve(specifier, context);
      const version = new URL(parentURL).searchParams.get(VERSION);
      const isOwn = resolved.url.startsWith(root) && !resolved.url.slice(root.length).includes("node_modules/");
      if (version === null || !isOwn || resolved.url.includes("?")) return resolved;
      return { ...resolved, url: `${resolved.url}?${VERSION}=${version}` };
    },
  });
}

function rootOf(url: string): string | undefined {
  for (const root of roots) if (url.startsWith(root)) return root;
  return undefined;
}

/** A digest of all files of a folder, but for dependencies and hidden ones. */
async function digestOf(folder: string): Promise<string> {
  const paths = await filesOf(folder);
  const hash = createHash("sha256");
  for (const path of paths.toSorted()) {
    hash.update(`${relative(folder, path)}\n`);
    hash.update(await readFile(path));
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesOf(folder: string, found: string[] = []): Promise<string[]> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await filesOf(path, found);
    else if (entry.isFile()) found.push(path);
    if (found.length > MOST_FILES) {
      throw new GatewayError("PLUGIN_INVALID", `${folder} has more than ${MOST_FILES} files: is it a plugin's folder?`);
    }
  }
  return found;
}

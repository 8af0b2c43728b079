import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPluginFolders } from "./plugin-folders.ts";

let directory: TempDirectory;

beforeEach(async () => {
  directory = await tempDirectory();
});

afterEach(() => directory[Symbol.asyncDispose]());

async function write(path: string, text = ""): Promise<void> {
  const whole = join(directory.path, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
}

/** Entries found, relative to the directory. */
async function found(...names: string[]): Promise<string[]> {
  const folders = await findPluginFolders(names, directory.path);
  return folders.map(({ entry }) => entry.slice(directory.path.length + 1));
}

describe("findPluginFolders", () => {
  it("takes a folder with an index as a plugin", async () => {
    await write("one/index.ts");
    expect(await found("./one")).toEqual(["one/index.ts"]);
  });

  it("takes a folder of plugins, without what is hidden, a dependency or no plugin", async () => {
    for (const name of ["b/index.js", "a/index.ts", ".git/index.js", "node_modules/index.js", "docs/readme.md"]) {
      await write(`all/${name}`);
    }
    expect(await found(join(directory.path, "all"))).toEqual(["all/a/index.ts", "all/b/index.js"]);
  });

  it.each([
    ['{ "exports": "./src/plugin.ts" }', "src/plugin.ts"],
    ['{ "exports": { ".": { "types": "./x.d.ts", "import": "./src/plugin.ts" } } }', "src/plugin.ts"],
    ['{ "main": "src/plugin.ts" }', "src/plugin.ts"],
    ['{ "name": "x" }', "index.ts"],
  ])("goes by package.json %s", async (manifest, entry) => {
    await write("p/package.json", manifest);
    await write("p/src/plugin.ts");
    await write("p/index.ts");
    expect(await found("./p")).toEqual([`p/${entry}`]);
  });

  it("looks packages up from the configuration's directory", async () => {
    await write("node_modules/@me/plugin/package.json", '{ "name": "@me/plugin", "exports": "./index.js" }');
    await write("node_modules/@me/plugin/index.js");
    expect(await found("@me/plugin")).toEqual(["node_modules/@me/plugin/index.js"]);
  });

  it.each([
    ["./none", /plugin_paths: \.\/none: .* is no folder/],
    ["no-such-package", /plugin_paths: no-such-package: there is no such package/],
    [".", /there is no plugin in/],
  ])("says what is wrong with %s", async (name, problem) => {
    await expect(found(name)).rejects.toThrow(problem);
  });

  it("says which package.json is no JSON", async () => {
    await write("p/package.json", "{");
    await expect(found("./p")).rejects.toThrow(/p\/package\.json: it is no JSON/);
  });
});

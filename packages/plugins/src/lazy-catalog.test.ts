import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createCatalog } from "./plugin-catalog.ts";

/** Runs a module in a process of its own, where nothing but Node loads plugins; `catalog` and `print` are there. */
function inProcess(body: string): unknown {
  const script = `
    import { createLazyCatalog } from "@fngate/plugins/lazy";
    const catalog = createLazyCatalog();
    const print = (value) => process.stdout.write(JSON.stringify(value));
    ${body}`;
  const options = { cwd: join(import.meta.dirname, ".."), encoding: "utf8" } as const;
  const flags = ["--conditions=@fngate/source", "--input-type=module", "--eval", script];
  return JSON.parse(execFileSync(process.execPath, flags, options));
}

it("has the plugins of the catalog that is loaded at once, in its order", () => {
  const expected = createCatalog()
    .all()
    .map(({ name, priority }) => [name, priority]);
  expect(inProcess("print(catalog.all().map(({ name, priority }) => [name, priority]));")).toEqual(expected);
});

it("gives one and the same plugin each time, and none that is not enabled or not there", () => {
  const body = `
    const few = createLazyCatalog(["cors", "nowhere"]);
    const names = few.all().map(({ name }) => name);
    print([catalog.get("cors") === few.get("cors"), few.get("echo") ?? null, few.get("nowhere") ?? null,
      catalog.get("constructor") ?? null, names]);`;
  expect(inProcess(body)).toEqual([true, null, null, null, ["cors"]]);
});

it("tells what there is without loading anything", () => {
  const body = `
    const { createRequire } = await import("node:module");
    const { cache } = createRequire(import.meta.url);
    const loaded = () => Object.keys(cache).some((file) => file.includes("/cors"));
    const few = createLazyCatalog(["cors", "nowhere"]);
    const names = ["cors", "echo", "nowhere", "constructor"].map((name) => few.has(name));
    const before = loaded();
    few.get("cors");
    print([names, before, loaded()]);`;
  expect(inProcess(body)).toEqual([[true, false, false, false], false, true]);
});

it("loads ahead what nobody has asked for, until it is told to stop", () => {
  const body = `
    const keepAlive = setInterval(() => {}, 1000);
    await catalog.loadAhead(AbortSignal.abort());
    await catalog.loadAhead(new AbortController().signal);
    clearInterval(keepAlive);
    print(catalog.all().length);`;
  expect(inProcess(body)).toBe(createCatalog().all().length);
});

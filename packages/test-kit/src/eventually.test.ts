import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { expect, it, vi } from "vitest";
import { findEtcd } from "./etcd-binary.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { tempDirectory } from "./temp-directory.ts";

it("answers with the first value that is neither false nor an error", async () => {
  const answers = [() => false, () => Promise.reject(new Error("not yet")), () => "ready"];
  expect(await eventually(() => answers.shift()?.())).toBe("ready");
  expect(answers).toEqual([]);
});

it("throws the last error once the deadline has passed", async () => {
  const never = () => Promise.reject(new Error("still not"));
  await expect(eventually(never, { deadlineMs: 1 })).rejects.toThrow("still not");
  await expect(eventually(() => false, { deadlineMs: 1 })).rejects.toThrow("did not become true");
});

it("removes a temporary directory with all it holds", async () => {
  let path: string;
  {
    await using directory = await tempDirectory();
    path = directory.path;
    await writeFile(directory.file("a"), "1");
    expect(existsSync(directory.file("a"))).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});

it("finds different free ports", async () => {
  expect(new Set(await freePorts(5)).size).toBe(5);
});

it("says what is wrong when the etcd that was named does not exist", () => {
  vi.stubEnv("FNGATE_ETCD", "/nowhere/etcd");
  expect(() => findEtcd()).toThrow('FNGATE_ETCD names "/nowhere/etcd"');
  vi.stubEnv("FNGATE_ETCD", process.execPath);
  expect(findEtcd()).toBe(process.execPath);
  vi.unstubAllEnvs();
});

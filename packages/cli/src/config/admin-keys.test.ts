import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type LogFields, type Logger, silentLogger } from "@fngate/kernel";
import { tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { resolveAdminKeys } from "./admin-keys.ts";

describe("resolveAdminKeys", () => {
  it("leaves complete keys alone and writes no file", async () => {
    await using directory = await tempDirectory();
    const keys = [{ name: "admin", key: "k", role: "admin" }];

    const resolved = await resolveAdminKeys({ keys, dataDir: directory.path, logger: silentLogger });

    expect(resolved).toEqual({ keys, generatedKeyFile: undefined });
  });

  it("generates the key once, keeps it for its owner only and never logs it", async () => {
    await using directory = await tempDirectory();
    const dataDir = join(directory.path, "data");
    const logged: unknown[] = [];
    const logger: Logger = { ...silentLogger, info: (fields: LogFields, text) => void logged.push(fields, text) };
    const keys = [{ name: "admin", key: "", role: "admin" }];

    const first = await resolveAdminKeys({ keys, dataDir, logger });
    const second = await resolveAdminKeys({ keys, dataDir, logger });

    const file = join(dataDir, "admin.key");
    const [entry] = first.keys;
    expect(first.generatedKeyFile).toBe(file);
    expect(entry?.key).toMatch(/^[\w-]{32}$/);
    expect((await readFile(file, "utf8")).trim()).toBe(entry?.key);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(second.keys).toEqual(first.keys);
    expect(JSON.stringify(logged)).not.toContain(entry?.key);
    expect(JSON.stringify(logged)).toContain(file);
  });

  it("drops empty keys of other roles, with a warning", async () => {
    await using directory = await tempDirectory();
    const warned: LogFields[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => void warned.push(fields) };
    const keys = [
      { name: "admin", key: "k", role: "admin" },
      { name: "watcher", key: "", role: "viewer" },
    ];

    const resolved = await resolveAdminKeys({ keys, dataDir: directory.path, logger });

    expect(resolved.keys.map(({ name }) => name)).toEqual(["admin"]);
    expect(warned).toEqual([{ name: "watcher", role: "viewer" }]);
  });
});

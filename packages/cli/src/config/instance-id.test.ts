import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { tempDirectory } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { resolveInstanceId } from "./instance-id.ts";

it("takes the configured id", async () => {
  await using directory = await tempDirectory();
  expect(await resolveInstanceId({ dataDir: directory.path, instanceId: "gateway-a" })).toBe("gateway-a");
});

it("lets all that start at once agree on one id, and leaves nothing but its file", async () => {
  await using directory = await tempDirectory();
  const settings = { dataDir: join(directory.path, "data"), instanceId: undefined };
  const ids = await Promise.all(Array.from({ length: 20 }, () => resolveInstanceId(settings)));
  expect(ids).toEqual(ids.map(() => ids[0]));
  expect(await readFile(join(settings.dataDir, "apisix.uid"), "utf8")).toBe(`${ids[0]}\n`);
  expect(await readdir(settings.dataDir)).toEqual(["apisix.uid"]);
});

it("never shows its file before it is complete", async () => {
  await using directory = await tempDirectory();
  const file = join(directory.path, "apisix.uid");
  const resolving = resolveInstanceId({ dataDir: directory.path, instanceId: undefined });
  // Looked at between any two steps of the one that makes it.
  while (!existsSync(file)) await setImmediate();
  const seen = readFileSync(file, "utf8");
  expect(seen).toBe(`${await resolving}\n`);
});

it("makes its directory the owner's alone", async () => {
  await using directory = await tempDirectory();
  const dataDir = join(directory.path, "data");
  await resolveInstanceId({ dataDir, instanceId: undefined });
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
});

it("makes an id once, for this start and all that follow", async () => {
  await using directory = await tempDirectory();
  const settings = { dataDir: join(directory.path, "data"), instanceId: undefined };
  const id = await resolveInstanceId(settings);
  expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(await resolveInstanceId(settings)).toBe(id);
});

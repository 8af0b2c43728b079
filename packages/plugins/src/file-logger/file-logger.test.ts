import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describePlugin, fakeDeps, fakeLogContext, fakeMetrics, fakeServer } from "@fngate/plugin-kit/testing";
import { eventually, FakeClock, tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { fileLogger } from "./index.ts";
import type { FileLoggerMetadata } from "./metadata.ts";
import { fileLoggerSchema } from "./schema.ts";

// The contract has it log.
describePlugin(fileLogger, { folder: import.meta.dirname, config: { path: "/dev/null" } });

describeSchema(fileLoggerSchema, {
  defaults: [
    { path: "a.log" },
    {
      path: "a.log",
      include_req_body: false,
      include_resp_body: false,
      max_req_body_bytes: 524288,
      max_resp_body_bytes: 524288,
    },
  ],
  accepts: [{}, { path: "/a", match: [[["arg_a", "==", "b"]], [["arg_a", "==", "c"]]] }],
  refuses: [
    [{ path: 1 }, "path"],
    [{ path: "a", match: Array.from({ length: 21 }, () => []) }, "match"],
    [
      { path: "a", match: [[["arg_a", "<>", "b"]]] },
      "failed to validate the 'match' expression: invalid operator '<>'",
    ],
  ],
});

/** The entries of a file, once there are so many. */
function entriesOf(path: string, count: number): Promise<Record<string, unknown>[]> {
  return eventually(async () => {
    const lines = (await readFile(path, "utf8")).split("\n");
    expect(lines.pop()).toBe("");
    expect(lines).toHaveLength(count);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  });
}

const FORMAT = { n: "$arg_n" };

describe("file-logger", () => {
  it("appends an entry about each request", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file.log");
    await using gateway = await gatewayWith(fileLogger, { path, include_resp_body: true });
    gateway.upstream.replyWith({ body: "pong" });
    await gateway.get("/a");
    await gateway.get("/b");
    expect(await entriesOf(path, 2)).toMatchObject([
      { request: { uri: "/a" }, response: { body: "pong" }, route_id: "1" },
      { request: { uri: "/b" } },
    ]);
  });

  it("logs the requests that one of its conditions holds for", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file.log");
    const match = [[["arg_n", "==", "1"]], [["arg_n", "==", "3"]]];
    await using gateway = await gatewayWith(fileLogger, { path, match, log_format: FORMAT });
    for (const n of [1, 2, 3]) await gateway.get(`/?n=${n}`);
    expect(await entriesOf(path, 2)).toMatchObject([{ n: "1" }, { n: "3" }]);
  });

  it("writes to the file of its metadata, to another one as soon as that says so", async () => {
    await using directory = await tempDirectory();
    const [first, second] = [join(directory.path, "1.log"), join(directory.path, "2.log")];
    const pluginMetadata = { "file-logger": { path: first, log_format: FORMAT } };
    await using gateway = await gatewayWith(fileLogger, {}, { pluginMetadata });
    await gateway.get("/?n=1");
    await gateway.put("plugin_metadata/file-logger", { path: second, log_format: FORMAT });
    await gateway.get("/?n=2");
    expect(await entriesOf(first, 1)).toMatchObject([{ n: "1" }]);
    expect(await entriesOf(second, 1)).toMatchObject([{ n: "2" }]);
  });

  it("says once that it has no path", async () => {
    await using gateway = await gatewayWith(fileLogger, {});
    await gateway.get("/");
    await gateway.get("/");
    const said = gateway.lines.filter(({ message }) => message.startsWith('property "path"'));
    expect(said).toHaveLength(1);
  });

  it("keeps lines of many routes whole, in one file, over reloads and at the end", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file.log");
    const plugins = { "file-logger": { path, log_format: FORMAT } };
    await using gateway = await gatewayWith(fileLogger, plugins["file-logger"]);
    await gateway.put("routes/2", { uri: "/two", plugins });
    const requests = Array.from({ length: 100 }, (_, n) => gateway.get(`${n % 2 === 0 ? "/two" : "/"}?n=${n}`));
    await gateway.put("routes/2", { uri: "/two", plugins, name: "changed" });
    await Promise.all(requests);
    await gateway.plane.stop({ deadlineMs: 5_000 });
    const logged = (await entriesOf(path, 100)).map(({ n }) => Number(n)).toSorted((a, b) => a - b);
    expect(logged).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it("keeps lines whole that several processes write at once, however long they are", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file.log");
    // Each with shared parts of its own, as in processes of their own.
    const plugins = Array.from({ length: 3 }, () =>
      fileLogger.setup(
        fileLoggerSchema.parse({ path, log_format: { n: "$arg_n", long: "$arg_long" } }),
        fakeDeps<unknown, FileLoggerMetadata>({ clock: new FakeClock() }),
      ),
    );
    for (const [n, plugin] of plugins.entries()) {
      const variables = { arg_n: String(n), arg_long: String(n).repeat(1024 * 1024) };
      for (const _ of [1, 2]) plugin.log?.(fakeLogContext({ variables }));
    }
    const entries = await entriesOf(path, 6);
    for (const { long, n } of entries) expect(String(long).replaceAll(String(n), "")).toBe("");
    for (const plugin of plugins) plugin.dispose?.();
  });

  it("makes a new file when the old one was moved or deleted", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file.log");
    const clock = new FakeClock();
    const plugin = fileLogger.setup(
      fileLoggerSchema.parse({ path, log_format: FORMAT }),
      fakeDeps<unknown, FileLoggerMetadata>({ clock }),
    );
    const log = (n: number) => plugin.log?.(fakeLogContext({ variables: { arg_n: String(n) } }));
    log(1);
    await entriesOf(path, 1);
    await rename(path, `${path}.1`);
    log(2);
    expect(await entriesOf(`${path}.1`, 2)).toMatchObject([{ n: "1" }, { n: "2" }]);
    await clock.advance(1_000);
    log(3);
    expect(await entriesOf(path, 1)).toMatchObject([{ n: "3" }]);
    await rm(path);
    await clock.advance(1_000);
    log(4);
    expect(await entriesOf(path, 1)).toMatchObject([{ n: "4" }]);
    plugin.dispose?.();
  });

  it("makes a new file for the next line when the gateway was asked to open logs again", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file.log");
    const server = { ...fakeServer(), logReopenings: 0 };
    const deps = fakeDeps<unknown, FileLoggerMetadata>({ clock: new FakeClock(), server });
    const plugin = fileLogger.setup(fileLoggerSchema.parse({ path, log_format: FORMAT }), deps);
    const log = (n: number) => plugin.log?.(fakeLogContext({ variables: { arg_n: String(n) } }));
    log(1);
    await entriesOf(path, 1);
    await rename(path, `${path}.1`);
    server.logReopenings += 1;
    log(2);
    expect(await entriesOf(path, 1)).toMatchObject([{ n: "2" }]);
    plugin.dispose?.();
  });

  it("counts what it cannot write, and writes again as soon as it can", async () => {
    await using directory = await tempDirectory();
    const folder = join(directory.path, "later");
    const path = join(folder, "file.log");
    const metrics = fakeMetrics();
    const deps = fakeDeps<unknown, FileLoggerMetadata>({ metrics, clock: new FakeClock() });
    const plugin = fileLogger.setup(fileLoggerSchema.parse({ path, log_format: FORMAT }), deps);
    plugin.log?.(fakeLogContext());
    const labels = { plugin: "file-logger", reason: "failed" };
    await eventually(() => expect(metrics.valueOf("fngate_dropped_entries_total", labels)).toBe(1));
    await mkdir(folder);
    plugin.log?.(fakeLogContext({ variables: { arg_n: "2" } }));
    expect(await entriesOf(path, 1)).toMatchObject([{ n: "2" }]);
    plugin.dispose?.();
  });
});

import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { eventually, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADMIN_KEY, AdminClient } from "../support/admin-client.ts";
import { type FngateProcess, startFngate } from "../support/fngate-process.ts";
import { type Functions, startFunctions } from "../support/functions.ts";
import { rawClient, requestText } from "../support/raw-client.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };
const ROTATIONS = 5;
const CLIENTS = 8;

let directory: TempDirectory;
let functions: Functions;
let gateway: FngateProcess;
let port: number;

beforeEach(async () => {
  directory = await tempDirectory();
  functions = await startFunctions();
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await functions[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** A gateway of so many processes that logs the number of each request by its own log and by file-logger. */
async function start(workers: number): Promise<void> {
  gateway = await startFngate(
    {
      deployment: {
        role: "traditional",
        role_traditional: { config_provider: "embedded" },
        admin: { admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }], admin_listen: LOOPBACK },
      },
      apisix: { node_listen: [LOOPBACK] },
      plugin_attr: { prometheus: { export_addr: LOOPBACK } },
      nginx_config: { http: { access_log: directory.file("access.log"), access_log_format: "$arg_n" } },
    },
    { environment: { APISIX_WORKER_PROCESSES: String(workers) } },
  );
  port = gateway.address("proxy").port;
  const admin = new AdminClient(gateway.address("admin").port);
  const logger = { path: directory.file("plugin.log"), log_format: { n: "$arg_n" } };
  await admin.put("/routes/1", { uri: "/numbered", plugins: { "file-logger": logger, mocking: MOCK } });
  const stream = { openfunction: { function_uri: functions.uri("stream") } };
  await admin.put("/routes/2", { uri: "/stream/*", plugins: stream });
  await admin.put("/routes/3", { uri: "/ready", plugins: { mocking: MOCK } });
  // Who is idle accepts, so several connections at once ask all workers.
  await eventually(async () => {
    const answers = await Promise.all(Array.from({ length: workers * 8 }, () => ask("/ready")));
    expect(new Set(answers)).toEqual(new Set([200]));
  });
}

const MOCK = { response_example: "ok", content_type: "text/plain" };

/** The status of the answer, on a connection of its own or on that of `agent`. */
function ask(path: string, agent?: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent: agent ?? false }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode ?? 0));
      answer.once("error", reject);
    });
    request.once("error", reject);
  });
}

/** Clients that ask one after the other until they are stopped; tells how many requests there were. */
function startTraffic(): { readonly count: number; stop(): Promise<number> } {
  let count = 0;
  let isOver = false;
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) {
      count += 1;
      expect(await ask(`/numbered?n=${count}`, agent)).toBe(200);
    }
  });
  return {
    get count() {
      return count;
    },
    async stop() {
      isOver = true;
      await Promise.all(clients);
      agent.destroy();
      return count;
    },
  };
}

/** Whether that many processes have said that their log files are open again. */
async function reopened(times: number): Promise<void> {
  await eventually(
    () => expect(gateway.lines.filter((line) => line["event"] === "logs-reopened")).toHaveLength(times),
    { deadlineMs: 10_000 },
  );
}

/** Every number in the files that begin like this, in order. */
async function numbersIn(name: string): Promise<number[]> {
  const files = (await readdir(directory.path)).filter((file) => file.startsWith(name));
  expect(files).toHaveLength(ROTATIONS + 1);
  const texts = await Promise.all(files.map((file) => readFile(join(directory.path, file), "utf8")));
  const numbers = texts.flatMap((text) => text.match(/(?<=^|"n":")\d+/gm) ?? []).map(Number);
  return numbers.toSorted((a, b) => a - b);
}

describe.each([1, 2])("a gateway of %d process(es)", (workers) => {
  const processes = workers === 1 ? 1 : workers + 1;

  it("loses no line over rotations that SIGUSR1 tells it about, and opens no debugger", async () => {
    await start(workers);
    const traffic = startTraffic();
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      const before = traffic.count;
      await eventually(() => expect(traffic.count).toBeGreaterThan(before + 100));
      for (const file of ["access.log", "plugin.log"]) {
        await rename(directory.file(file), directory.file(`${file}.${rotation}`));
      }
      gateway.signal("SIGUSR1");
      await reopened(rotation * processes);
    }
    const count = await traffic.stop();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    const expected = Array.from({ length: count }, (_, index) => index + 1);
    expect(await numbersIn("access.log")).toEqual(expected);
    expect(await numbersIn("plugin.log")).toEqual(expected);
    // Where Node says that its debugger listens.
    expect(gateway.noise).toEqual([]);
  });

  it("writes to the new file right after a rotation, to plugins' files too", async () => {
    await start(workers);
    await ask("/numbered?n=1");
    await eventually(() => readFile(directory.file("plugin.log"), "utf8"));
    await rm(directory.file("access.log"));
    await rm(directory.file("plugin.log"));
    gateway.signal("SIGUSR1");
    await reopened(processes);
    await ask("/numbered?n=2");
    const logged = () =>
      Promise.all(["access.log", "plugin.log"].map((file) => readFile(directory.file(file), "utf8")));
    await eventually(async () =>
      expect(await logged()).toEqual(["2\n", '{"n":"2"'].map((line) => expect.stringContaining(line))),
    );
  });

  it("goes on at SIGHUP, which opens the logs again, and says whether the configuration was read", async () => {
    await start(workers);
    await rename(directory.file("access.log"), directory.file("access.log.1"));
    gateway.signal("SIGHUP");
    await reopened(processes);
    expect(await readFile(directory.file("access.log"), "utf8")).toBe("");
    const line = workers === 1 ? { event: "reload-refused", level: "warn" } : { event: "reloaded" };
    await eventually(() => expect(gateway.lines).toContainEqual(expect.objectContaining(line)), {
      deadlineMs: 60_000,
    });
    expect(await ask("/numbered?n=1")).toBe(200);
  });

  it("goes on with the old file when the new one cannot be opened", async () => {
    await start(workers);
    await rename(directory.path, `${directory.path}-moved`);
    try {
      await writeFile(directory.path, "in the way");
      gateway.signal("SIGUSR1");
      await eventually(() =>
        expect(gateway.lines.filter((line) => line["event"] === "logs-not-reopened")).toHaveLength(workers),
      );
      expect(await ask("/ready?n=7")).toBe(200);
    } finally {
      await rm(directory.path, { force: true });
      await rename(`${directory.path}-moved`, directory.path);
    }
    await gateway.stop();
    expect(await readFile(directory.file("access.log"), "utf8")).toMatch(/^7\n/m);
  });

  it.each(["SIGQUIT", "SIGTERM"] as const)("completes the running answer at %s and exits 0", async (signal) => {
    await start(workers);
    const id = randomUUID();
    await using client = await rawClient(port);
    client.send(requestText({ target: `/stream/start/${id}` }));
    await client.until("first");
    gateway.signal(signal);
    await eventually(async () => expect(await ask("/numbered").catch(() => "refused")).toBe("refused"));
    await fetch(`${functions.uri("stream")}/release/${id}`);
    expect(await client.untilClosed({ deadlineMs: 10_000 })).toContain("second\n");
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });
});

describe("a worker that is signalled itself", () => {
  const pids = () =>
    gateway.lines.filter((line) => line["event"] === "worker-started").map((line) => Number(line["pid"]));

  it("opens its own logs again at SIGUSR1 and SIGHUP, and no debugger", async () => {
    await start(2);
    const [pid = 0] = pids();
    for (const [index, signal] of (["SIGUSR1", "SIGHUP"] as const).entries()) {
      process.kill(pid, signal);
      await reopened(index + 1);
    }
    expect(gateway.noise).toEqual([]);
    expect(gateway.lines.some((line) => line["event"] === "worker-ended")).toBe(false);
  });

  it("drains at SIGQUIT, and another one takes its place", async () => {
    await start(2);
    const [pid = 0] = pids();
    process.kill(pid, "SIGQUIT");
    await eventually(() => expect(pids()).toHaveLength(3), { deadlineMs: 20_000 });
    expect(gateway.lines).toContainEqual(expect.objectContaining({ event: "worker-ended", pid, code: 0 }));
  });
});

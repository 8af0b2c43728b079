import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, createServer, get, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADMIN_KEY, AdminClient } from "../support/admin-client.ts";
import { type FngateProcess, spawnFngate, startFngate } from "../support/fngate-process.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };
const WORKERS = 2;

/** Keeps the clients from taking all of the machine. */
const ANSWER_MS = 20;

const CONFIG = {
  deployment: {
    role: "traditional",
    role_traditional: { config_provider: "embedded" },
    admin: { admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }], admin_listen: LOOPBACK },
  },
  apisix: { node_listen: [LOOPBACK], status: LOOPBACK },
  plugin_attr: { prometheus: { export_addr: LOOPBACK } },
};

/** One request on a connection of its own, or on that of `agent`; the status, or how it failed. */
function ask(port: number, path: string, agent?: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path, agent: agent ?? false }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", (error) => resolve(error.message));
    });
    request.on("error", (error) => resolve(error.message));
  });
}

async function readText(port: number, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

describe("a gateway of several workers", () => {
  let upstream: Server;
  let held: ServerResponse[];
  let gateway: FngateProcess;
  let admin: AdminClient;
  let port: number;

  beforeEach(async () => {
    held = [];
    upstream = createServer((request, response) => {
      if (request.url === "/held") held.push(response);
      else setTimeout(() => response.end("answer"), ANSWER_MS);
    }).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    gateway = await startFngate(
      { ...CONFIG, nginx_config: { worker_shutdown_timeout: "5s" } },
      { environment: { APISIX_WORKER_PROCESSES: String(WORKERS) } },
    );
    admin = new AdminClient(gateway.address("admin").port);
    port = gateway.address("proxy").port;
    const { port: upstreamPort } = upstream.address() as AddressInfo;
    await admin.put("/routes/1", {
      uris: ["/answer", "/held"],
      plugins: { prometheus: {} },
      upstream: { nodes: { [`127.0.0.1:${upstreamPort}`]: 1 } },
    });
    await everyWorkerAnswers("/answer", 200);
  });
  afterEach(async () => {
    for (const response of held) response.end();
    await gateway[Symbol.asyncDispose]();
    upstream.closeAllConnections();
    upstream.close();
  });

  /** Pids of the workers, by number, as last started. */
  function workers(): Map<unknown, number> {
    const started = gateway.lines.filter((line) => line["event"] === "worker-started");
    return new Map(started.map((line) => [line["worker"], Number(line["pid"])]));
  }

  /** Who is idle accepts, so several connections at once ask all workers. */
  async function everyWorkerAnswers(path: string, status: number): Promise<void> {
    await eventually(async () => {
      const answers = await Promise.all(Array.from({ length: WORKERS * 8 }, () => ask(port, path)));
      expect(new Set(answers)).toEqual(new Set([status]));
    });
  }

  it("shares one port among processes, and every update reaches all of them", async () => {
    expect(new Set(workers().values()).size).toBe(WORKERS);
    for (let version = 1; version <= 20; version += 1) {
      await admin.put("/routes/2", { uri: `/v${version}`, plugins: {} });
      await everyWorkerAnswers(`/v${version}`, 503);
    }
    await admin.delete("/routes/2");
    await everyWorkerAnswers("/v20", 404);
  });

  it("goes on while a worker is killed: only its own connections break, and it comes back", async () => {
    const clients = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const broken = clients.map(() => 0);
    let isOver = false;
    let answers = 0;
    const load = clients.map(async (agent, index) => {
      while (!isOver) {
        const status = await ask(port, "/answer", agent);
        if (status === 200) answers += 1;
        else broken[index] = (broken[index] ?? 0) + 1;
      }
    });
    await eventually(() => expect(answers).toBeGreaterThan(100));
    const [worker, pid] = [...workers()][0] ?? [];
    process.kill(Number(pid), "SIGKILL");
    await eventually(() =>
      expect(gateway.lines).toContainEqual(expect.objectContaining({ event: "worker-ended", worker, pid })),
    );
    expect(await ask(port, "/answer")).toBe(200);
    await eventually(() => expect(workers().get(worker)).not.toBe(pid), { deadlineMs: 40_000 });
    isOver = true;
    await Promise.all(load);
    for (const agent of clients) agent.destroy();
    // No client loses more than what it was doing with that worker.
    expect(Math.max(...broken)).toBeLessThanOrEqual(1);
    await everyWorkerAnswers("/answer", 200);
    await admin.put("/routes/2", { uri: "/later", plugins: {} });
    await everyWorkerAnswers("/later", 503);
    expect((await fetch(`http://127.0.0.1:${gateway.address("status").port}/status/ready`)).status).toBe(200);
  }, 120_000);

  it("answers metrics, status and Control API once, for all workers together", async () => {
    const count = async (): Promise<number> => {
      const text = await readText(gateway.address("metrics").port, "/apisix/prometheus/metrics");
      const lines = text
        .split("\n")
        .filter((line) => line.startsWith("apisix_http_status{") && line.includes('route="1"'));
      expect(text).toContain('process_resident_memory_bytes{worker="1"}');
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    };
    const before = await count();
    for (let asked = 0; asked < 10; asked += 1) expect(await ask(port, "/answer")).toBe(200);
    await eventually(async () => expect(await count()).toBe(before + 10));
    // What a worker has counted outlives it, as far as anybody has asked.
    process.kill([...workers().values()][0] ?? 0, "SIGKILL");
    await eventually(() => expect(gateway.lines).toContainEqual(expect.objectContaining({ event: "worker-ended" })));
    expect(await count()).toBe(before + 10);
    const routes = JSON.parse(await readText(gateway.address("control").port, "/v1/routes"));
    expect(routes).toMatchObject([{ key: "/apisix/routes/1", value: { id: "1" } }]);
    expect(await readText(gateway.address("status").port, "/status/ready")).toBe('{"status":"ok"}');
  });

  it("drains every worker and exits 0, with whole lines in the access log", async () => {
    const running = [ask(port, "/held"), ask(port, "/held")];
    await eventually(() => expect(held).toHaveLength(2));
    gateway.signal("SIGTERM");
    await eventually(async () => expect(await ask(port, "/answer")).toContain("ECONNREFUSED"));
    expect(gateway.isRunning).toBe(true);
    for (const response of held) response.end("late");
    expect(await Promise.all(running)).toEqual([200, 200]);
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    const log = await readFile(join(gateway.dataDirectory, "logs/access.log"), "utf8");
    const lines = log.trimEnd().split("\n");
    expect(lines.filter((line) => line.includes("/held"))).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^127\.0\.0\.1 - - \[.*\] \S+ "GET \S+ HTTP\/1\.1" \d+ .*"$/);
  });

  it("exits 3 when a worker had to cut a request", async () => {
    const running = ask(port, "/held");
    await eventually(() => expect(held).toHaveLength(1));
    gateway.signal("SIGTERM");
    expect(await running).not.toBe(200);
    expect(await gateway.exited).toEqual({ code: 3, signal: null });
  });

  it("has no worker left when its primary is killed", async () => {
    const pids = [...workers().values()];
    gateway.signal("SIGKILL");
    await gateway.exited;
    await eventually(() => {
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    });
    expect(await ask(port, "/answer")).toContain("ECONNREFUSED");
  });
});

it("a gateway whose workers cannot listen says which port is taken, and exits 1", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const config = { ...CONFIG, apisix: { ...CONFIG.apisix, node_listen: [{ ip: "127.0.0.1", port }] } };
  await using gateway = await spawnFngate(config, { environment: { APISIX_WORKER_PROCESSES: "2" } });
  expect(await gateway.exited).toEqual({ code: 1, signal: null });
  expect(gateway.transcript).toContain(`port ${port} on 127.0.0.1 (apisix.node_listen) is already in use`);
  taken.close();
});

describe("workers without a metrics listener", () => {
  it("publish through public-api what all of them have counted", async () => {
    await using upstream = await startEchoUpstream();
    await using gateway = await startFngate(
      { ...CONFIG, plugin_attr: { prometheus: { enable_export_server: false } } },
      { environment: { APISIX_WORKER_PROCESSES: String(WORKERS) } },
    );
    const admin = new AdminClient(gateway.address("admin").port);
    const { port } = gateway.address("proxy");
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    await admin.put("/routes/counted", { uri: "/counted", plugins: { prometheus: {} }, upstream: { nodes } });
    await admin.put("/routes/metrics", { uri: "/apisix/prometheus/metrics", plugins: { "public-api": {} } });
    // Both routes reach each worker in its own time.
    await eventually(async () => {
      const text = await readText(port, "/apisix/prometheus/metrics");
      expect(text).toContain('process_resident_memory_bytes{worker="1"}');
    });
    let served = 0;
    const counted = async (): Promise<number> => {
      if ((await ask(port, "/counted")) === 200) served += 1;
      const text = await readText(port, "/apisix/prometheus/metrics");
      const lines = text.split("\n").filter((line) => line.startsWith('apisix_http_status{code="200"'));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    };
    await eventually(async () => {
      const sum = await counted();
      expect(served).toBeGreaterThan(10);
      expect(sum).toBe(served);
    });
  });
});

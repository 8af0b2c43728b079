import { randomUUID } from "node:crypto";
import { eventually, startEtcd } from "@fngate/test-kit";
import { afterEach, expect, it } from "vitest";
import { type FngateProcess, spawnFngate, startFngate } from "../support/fngate-process.ts";
import { startFunctions } from "../support/functions.ts";
import { startGateway } from "../support/gateway.ts";
import { rawClient, requestText } from "../support/raw-client.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };
const OK = { status: 200, type: "text/plain; charset=utf-8", text: '{"status":"ok"}' };

function notReady(error: string): object {
  return { status: 503, type: "text/plain; charset=utf-8", text: JSON.stringify({ status: "error", error }) };
}

let running: FngateProcess | undefined;
afterEach(async () => {
  await running?.[Symbol.asyncDispose]();
  running = undefined;
});

async function ask(process: FngateProcess, path: string, method = "GET"): Promise<object> {
  const { host, port } = process.address("status");
  const answer = await fetch(`http://${host}:${port}${path}`, { method });
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

/** Resolves when the process has that listener. */
async function listens(process: FngateProcess, listener = "status"): Promise<void> {
  await eventually(() => process.address(listener), { deadlineMs: 30_000 });
}

function dataPlane(etcd: string): Readonly<Record<string, unknown>> {
  return {
    deployment: {
      role: "data_plane",
      role_data_plane: { config_provider: "etcd" },
      etcd: { host: [etcd], timeout: 1 },
    },
    apisix: { node_listen: [LOOPBACK], status: LOOPBACK },
    plugin_attr: { prometheus: { export_addr: LOOPBACK } },
  };
}

it.each([1, 2])(
  "a data plane of %d process(es) is alive without its store, and ready with it, even when it is lost again",
  async (workers) => {
    await using etcd = await startEtcd();
    await etcd.stop();
    const environment = { APISIX_WORKER_PROCESSES: String(workers) };
    running = await spawnFngate(dataPlane(etcd.url), { environment });
    await listens(running);
    expect(await ask(running, "/status")).toEqual(OK);
    expect(await ask(running, "/status/")).toEqual(OK);
    expect(await ask(running, "/status/ready")).toEqual(notReady("worker id: 0 has not received configuration"));
    for (const [path, method] of [
      ["/other", "GET"],
      ["/status", "POST"],
    ] as const) {
      expect(await ask(running, path, method)).toMatchObject({ status: 404 });
    }
    await etcd.start();
    await running.ready();
    expect(await ask(running, "/status/ready")).toEqual(OK);
    await etcd.stop();
    await eventually(async () => expect(await metric("apisix_etcd_reachable")).toBe("0"), { deadlineMs: 20_000 });
    expect(await ask(running, "/status/ready")).toEqual(OK);
  },
);

/** The value of a metric of the running process. */
async function metric(name: string): Promise<string | undefined> {
  const { host = "", port = 0 } = running?.address("metrics") ?? {};
  const text = await (await fetch(`http://${host}:${port}/apisix/prometheus/metrics`)).text();
  return new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1];
}

it("a gateway whose workers are all gone says so until one is back", async () => {
  running = await startFngate(
    {
      deployment: { role: "data_plane", role_data_plane: { config_provider: "embedded" } },
      apisix: { node_listen: [LOOPBACK], status: LOOPBACK },
      plugin_attr: { prometheus: { export_addr: LOOPBACK } },
    },
    { environment: { APISIX_WORKER_PROCESSES: "2" } },
  );
  const seen: object[] = [await ask(running, "/status/ready")];
  expect(seen).toEqual([OK]);
  for (const line of running.lines)
    if (line["event"] === "worker-started") process.kill(Number(line["pid"]), "SIGKILL");
  await eventually(
    async () => {
      seen.push(running === undefined ? {} : await ask(running, "/status/ready"));
      expect(await askAlive()).toEqual(OK);
      expect(seen.some((one) => "status" in one && one.status === 503)).toBe(true);
      expect(seen.at(-1)).toEqual(OK);
    },
    { deadlineMs: 30_000, intervalMs: 5 },
  );
  const reasons = ["worker count: 2 but status report count: 0", "worker id: 0 has not received configuration"];
  const allowed = [OK, ...reasons.map(notReady)];
  for (const one of seen) expect(allowed).toContainEqual(one);
});

async function askAlive(): Promise<object | undefined> {
  return running && ask(running, "/status");
}

it.each([1, 2])("a gateway of %d process(es) that drains is alive and not ready", async (workers) => {
  await using functions = await startFunctions();
  await using gateway = await startGateway("embedded", { environment: { APISIX_WORKER_PROCESSES: String(workers) } });
  await gateway.route({
    stream: { uri: "/stream/*", plugins: { openfunction: { function_uri: functions.uri("stream") } } },
  });
  const id = randomUUID();
  await using client = await rawClient(gateway.port);
  client.send(requestText({ target: `/stream/start/${id}` }));
  await client.until("first");
  gateway.dataPlane.signal("SIGTERM");
  await eventually(async () =>
    expect(await ask(gateway.dataPlane, "/status/ready")).toEqual(notReady("the gateway is stopping")),
  );
  expect(await ask(gateway.dataPlane, "/status")).toEqual(OK);
  await fetch(`${functions.uri("stream")}/release/${id}`);
  expect(await client.untilClosed({ deadlineMs: 10_000 })).toContain("second");
  expect(await gateway.dataPlane.exited).toEqual({ code: 0, signal: null });
});

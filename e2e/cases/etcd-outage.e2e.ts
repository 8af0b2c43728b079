import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type EchoUpstream,
  type EtcdProcess,
  eventually,
  startEchoUpstream,
  startEtcd,
  tempDirectory,
} from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FngateProcess, startFngate } from "../support/fngate-process.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

/** Reconnecting backs off; a busy machine takes its time. */
const RECOVERY = { deadlineMs: 30_000, intervalMs: 50 };

describe("an etcd that goes away", () => {
  let gateway: Gateway;
  let etcd: EtcdProcess;
  let upstream: EchoUpstream;

  beforeEach(async () => {
    upstream = await startEchoUpstream({ reply: { body: "good" } });
    etcd = await startEtcd();
    gateway = await startGateway("split", { etcd });
    await gateway.route({ steady: routeTo("/steady") });
  });
  afterEach(async () => {
    await gateway[Symbol.asyncDispose]();
    await etcd[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const routeTo = (uri: string) => ({ uri, plugins: { openfunction: { function_uri: upstream.origin } } });
  const status = async (path: string) => {
    const response = await fetch(gateway.origin + path);
    await response.arrayBuffer();
    return response.status;
  };

  /** Asks for the steady route without a pause until disposed; `failures` lists every answer that was no 200. */
  function traffic() {
    const failures: unknown[] = [];
    let asked = 0;
    let isDone = false;
    const running = (async () => {
      while (!isDone) {
        const seen = await status("/steady").catch((error: unknown) => error);
        asked += 1;
        if (seen !== 200) failures.push(seen);
      }
    })();
    return {
      failures,
      get asked() {
        return asked;
      },
      async [Symbol.asyncDispose]() {
        isDone = true;
        await running;
      },
    };
  }

  it("costs no request, and updates go on once it is back", async () => {
    await using running = traffic();
    await etcd.stop();
    const asked = running.asked;
    await eventually(() => running.asked > asked + 20, RECOVERY);
    expect((await gateway.admin.send("PUT", "/routes/new", routeTo("/new"))).status).toBeGreaterThanOrEqual(500);
    await etcd.start();
    await eventually(
      async () => (await gateway.admin.send("PUT", "/routes/new", routeTo("/new"))).status < 300,
      RECOVERY,
    );
    await eventually(async () => (await status("/new")) === 200, RECOVERY);
    expect(running.failures).toEqual([]);
  });

  it("costs no update when its history is compacted meanwhile", async () => {
    await using running = traffic();
    for (let update = 0; update < 20; update += 1)
      await gateway.admin.put("/routes/often", routeTo(`/often-${update}`));
    await etcd.compact();
    await etcd.restart();
    await eventually(
      async () => (await gateway.admin.send("PUT", "/routes/new", routeTo("/new"))).status < 300,
      RECOVERY,
    );
    await etcd.compact();
    await eventually(async () => (await status("/new")) === 200, RECOVERY);
    await eventually(async () => (await status("/often-19")) === 200, RECOVERY);
    expect(running.failures).toEqual([]);
  });

  it("is followed again after it lost all its data and its revision went backwards", async () => {
    for (let update = 0; update < 20; update += 1)
      await gateway.admin.put("/routes/often", routeTo(`/often-${update}`));
    await etcd.restart({ wipe: true });
    await eventually(
      async () => (await gateway.admin.send("PUT", "/routes/new", routeTo("/new"))).status < 300,
      RECOVERY,
    );
    await eventually(async () => (await status("/new")) === 200, RECOVERY);
    await eventually(async () => (await status("/steady")) === 404, RECOVERY);
  });

  /** A data plane of its own beside the gateway's. */
  function dataPlaneConfig(dataDirectory?: string) {
    const listen = { ip: "127.0.0.1", port: 0 };
    return {
      deployment: {
        role: "data_plane",
        role_data_plane: { config_provider: "etcd" },
        etcd: { host: [etcd.url] },
      },
      apisix: { node_listen: [listen], status: listen },
      plugin_attr: { prometheus: { export_addr: listen } },
      ...(dataDirectory !== undefined && { fngate: { data_dir: dataDirectory } }),
    };
  }

  const steadyOf = async (process: FngateProcess) => {
    const response = await fetch(`http://127.0.0.1:${process.address("proxy").port}/steady`);
    return response.status;
  };

  it("is waited for by a data plane that starts without it", async () => {
    await etcd.stop();
    const starting = startFngate(dataPlaneConfig());
    await etcd.start();
    await using late = await starting;
    await eventually(async () => (await steadyOf(late)) === 200, RECOVERY);
  });

  it("is not needed by a data plane that was there before: it starts and serves what it knew", async () => {
    await using data = await tempDirectory();
    {
      await using before = await startFngate(dataPlaneConfig(data.path));
      expect(await steadyOf(before)).toBe(200);
      const knows = async () => (await readFile(join(data.path, "last-known.json"), "utf8")).includes("/steady");
      await eventually(knows, RECOVERY);
    }
    await etcd.stop();
    await using after = await startFngate(dataPlaneConfig(data.path));
    expect(await steadyOf(after)).toBe(200);

    await etcd.start();
    await eventually(async () => {
      await gateway.route({ steady: routeTo("/moved") });
    }, RECOVERY);
    await eventually(async () => (await steadyOf(after)) === 404, RECOVERY);
  });
});

import { type Agent, Agent as HttpAgent, request as httpRequest } from "node:http";
import { isGatewayError } from "@fngate/kernel";
import { PLACEHOLDER_DIRECTORIES, PLACEHOLDER_VALUE } from "@fngate/schema";
import { eventually, FakeClock, FakeConfigStore, tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { createControlPlane } from "./index.ts";
import { ADMIN_KEY, AdminHarness, catalogOf, RecordingLogger } from "./testing/admin-harness.ts";

const codeOf = (error: unknown) => (isGatewayError(error) ? error.code : error);

/** A store whose reads wait until the test lets them go on. */
class GatedStore extends FakeConfigStore {
  readonly #gate = Promise.withResolvers<void>();
  readonly reached = Promise.withResolvers<void>();

  open(): void {
    this.#gate.resolve();
  }

  override async get(...args: Parameters<FakeConfigStore["get"]>): ReturnType<FakeConfigStore["get"]> {
    this.reached.resolve();
    await this.#gate.promise;
    return super.get(...args);
  }
}

describe("starting", () => {
  it("writes the thirteen directory placeholders and leaves those that exist alone", async () => {
    await using admin = new AdminHarness();
    const first = await admin.store.put("/apisix/routes/", PLACEHOLDER_VALUE);
    await admin.plane.start();
    await eventually(async () => (await admin.store.list("/apisix/")).entries.length === 13);
    const { entries } = await admin.store.list("/apisix/");
    expect(entries.map(({ key, value }) => [key, value]).sort()).toEqual(
      PLACEHOLDER_DIRECTORIES.map((directory) => [`/apisix/${directory}/`, "init_dir"]).sort(),
    );
    expect(entries.find(({ key }) => key === "/apisix/routes/")?.modRevision).toBe(first.revision);
  });

  it("does not need the store, and writes the placeholders when it comes", async () => {
    const clock = new FakeClock();
    await using admin = new AdminHarness({ clock });
    admin.store.disconnect();
    const started = admin.plane.start();
    await clock.untilSleeping(2);
    await clock.advance(1_000);
    await started;
    expect(await admin.call("GET", "/routes")).toMatchObject({ status: 503, json: { error_msg: expect.any(String) } });
    admin.store.reconnect();
    await clock.untilSleeping(1);
    await clock.advance(60_000);
    await eventually(async () => (await admin.store.list("/apisix/")).entries.length === 13);
    expect(admin.logger.lines.map(({ message }) => message)).toContain("placeholder keys not written yet");
  });

  it("refuses keys that are not safe where it listens, before it listens", async () => {
    const admin = new AdminHarness({ listen: { host: "0.0.0.0", port: 0 }, keys: [] });
    const failure: unknown = await admin.plane.start().catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("CONFIG_INVALID");
    expect(String(failure)).toContain("FNGATE_ADMIN_KEY");
    expect(admin.plane.address).toBeUndefined();
    await admin.store.close();
  });

  it("names a port that is taken", async () => {
    await using first = await AdminHarness.start();
    const second = new AdminHarness({ listen: { host: "127.0.0.1", port: first.port } });
    const failure: unknown = await second.plane.start().catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("LISTEN_FAILED");
    expect(String(failure)).toContain(String(first.port));
    await second.plane.stop();
    await second.store.close();
  });

  it("listens on a unix socket", async () => {
    await using directory = await tempDirectory();
    const socketPath = directory.file("admin.sock");
    await using admin = await AdminHarness.start({ listen: { socketPath }, allowedAddresses: [] });
    expect(admin.plane.address).toEqual({ socketPath });
    const status = await new Promise((resolve, reject) => {
      httpRequest({ socketPath, path: "/apisix/admin/routes", headers: { "X-API-KEY": ADMIN_KEY }, agent: false })
        .once("response", (response) => resolve(response.resume().statusCode))
        .once("error", reject)
        .end();
    });
    expect(status).toBe(200);
  });

  it("refuses an allow list that it cannot read", () => {
    const logger = new RecordingLogger();
    const build = () =>
      createControlPlane({
        store: new FakeConfigStore(),
        prefix: "/apisix",
        catalog: catalogOf(),
        keyring: undefined,
        listen: { host: "127.0.0.1", port: 0 },
        keys: [],
        isKeyRequired: true,
        allowedAddresses: ["everyone"],
        isCorsEnabled: true,
        serverHeader: "APISIX",
        isStreamEnabled: false,
        logger,
        clock: new FakeClock(),
      });
    expect(build).toThrow(/everyone/);
  });
});

describe("stopping", () => {
  it("lets a running request end, takes no new connection, and closes", async () => {
    const store = new GatedStore();
    await using admin = await AdminHarness.start({ store });
    const running = admin.call("GET", "/routes/1");
    await store.reached.promise;
    const { port } = admin;
    const stopped = admin.plane.stop();
    expect(await refusesConnections(port)).toBe(true);
    store.open();
    expect((await running).status).toBe(404);
    await stopped;
    expect(admin.plane.address).toBeUndefined();
  });

  it("closes a keep-alive connection as soon as its answer is out", async () => {
    const store = new GatedStore();
    await using admin = await AdminHarness.start({ store });
    using agent = keepAliveAgent();
    const answered = getWith(agent, admin.port);
    await store.reached.promise;
    // Shorter than the server keeps an idle connection, so waiting for that would raise a drain timeout.
    const stopped = admin.plane.stop({ deadlineMs: 3_000 });
    store.open();
    expect(await answered).toBe(404);
    await stopped;
  });

  it.each(["deadline", "signal"])("destroys what still runs when its %s is up, and says so", async (limit) => {
    const store = new GatedStore();
    await using admin = await AdminHarness.start({ store });
    const running = admin.call("GET", "/routes/1").catch((error: unknown) => error);
    await store.reached.promise;
    const options = limit === "deadline" ? { deadlineMs: 0 } : { signal: AbortSignal.abort() };
    const failure: unknown = await admin.plane.stop(options).catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("LIFECYCLE_DRAIN_TIMEOUT");
    expect(await running).toBeInstanceOf(Error);
    store.open();
  });

  it("waits for nothing with a deadline of 0, whatever the clock does", async () => {
    const store = new GatedStore();
    await using admin = await AdminHarness.start({ store, clock: new FakeClock() });
    const running = admin.call("GET", "/routes/1").catch((error: unknown) => error);
    await store.reached.promise;
    const failure: unknown = await admin.plane.stop({ deadlineMs: 0 }).catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("LIFECYCLE_DRAIN_TIMEOUT");
    expect(await running).toBeInstanceOf(Error);
    store.open();
  });

  it("raises nothing with a deadline of 0 when only idle connections are left", async () => {
    await using admin = await AdminHarness.start();
    using agent = keepAliveAgent();
    expect(await getWith(agent, admin.port)).toBe(404);
    await admin.plane.stop({ deadlineMs: 0 });
  });

  it("may happen twice, and before a start", async () => {
    const admin = new AdminHarness();
    await admin.plane.stop();
    await using started = await AdminHarness.start();
    await started.plane.stop();
    await started.plane.stop();
    await admin.store.close();
  });
});

function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    httpRequest({ port, host: "127.0.0.1", agent: false })
      .once("error", () => resolve(true))
      .once("response", () => resolve(false))
      .end();
  });
}

function keepAliveAgent(): Agent & Disposable {
  const agent = new HttpAgent({ keepAlive: true });
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() });
}

function getWith(agent: Agent, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { "X-API-KEY": ADMIN_KEY };
    httpRequest({ agent, port, host: "127.0.0.1", path: "/apisix/admin/routes/1", headers })
      .once("response", (response) => response.resume().once("end", () => resolve(response.statusCode)))
      .once("error", reject)
      .end();
  });
}

import { randomUUID } from "node:crypto";
import { eventually } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Functions, startFunctions } from "../support/functions.ts";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { type RawClient, rawClient, requestText } from "../support/raw-client.ts";

describe.each(MODES)("a gateway that is told to stop (%s)", (mode) => {
  let gateway: Gateway;
  let functions: Functions;

  beforeEach(async () => {
    functions = await startFunctions();
    gateway = await startGateway(mode);
    await gateway.route({
      stream: { uri: "/stream/*", plugins: { openfunction: { function_uri: functions.uri("stream") } } },
    });
  });
  afterEach(async () => {
    await gateway[Symbol.asyncDispose]();
    await functions[Symbol.asyncDispose]();
  });

  /** A client in the middle of a streamed answer. */
  async function streaming(id: string): Promise<RawClient> {
    const client = await rawClient(gateway.port);
    client.send(requestText({ target: `/stream/start/${id}`, fields: ["Connection: keep-alive"] }));
    await client.until("first");
    return client;
  }

  /** Resolves when new connections are refused, which is how draining shows. */
  async function noLongerListening(): Promise<void> {
    const { port } = gateway;
    await eventually(async () => {
      const refused = await rawClient(port).then(
        async (client) => {
          await client[Symbol.asyncDispose]();
          return false;
        },
        () => true,
      );
      return refused;
    });
  }

  it("completes the running answer, takes no new connection and exits 0", async () => {
    const id = randomUUID();
    await using client = await streaming(id);
    gateway.dataPlane.signal("SIGTERM");
    await noLongerListening();
    expect(gateway.dataPlane.isRunning).toBe(true);
    await fetch(`${functions.uri("stream")}/release/${id}`);
    expect(await client.untilClosed({ deadlineMs: 10_000 })).toContain("second\n");
    expect(await gateway.dataPlane.exited).toEqual({ code: 0, signal: null });
  });

  it("exits 0 at once when nothing runs", async () => {
    await using idle = await rawClient(gateway.port);
    expect(await gateway.dataPlane.stop()).toEqual({ code: 0, signal: null });
    await idle.untilClosed();
  });

  it("does not wait at a second signal and exits 2", async () => {
    await using client = await streaming(randomUUID());
    gateway.dataPlane.signal("SIGTERM");
    await noLongerListening();
    await eventually(
      () => {
        gateway.dataPlane.signal("SIGTERM");
        return !gateway.dataPlane.isRunning;
      },
      { deadlineMs: 10_000, intervalMs: 100 },
    );
    expect(await gateway.dataPlane.exited).toEqual({ code: 2, signal: null });
    await client.untilClosed();
  });
});

describe("a gateway whose drain takes too long", () => {
  it("cuts what still runs and exits 3", async () => {
    await using functions = await startFunctions();
    await using gateway = await startGateway("embedded", { nginx: { worker_shutdown_timeout: "1s" } });
    await gateway.route({
      stream: { uri: "/stream/*", plugins: { openfunction: { function_uri: functions.uri("stream") } } },
    });
    await using client = await rawClient(gateway.port);
    client.send(requestText({ target: `/stream/start/${randomUUID()}` }));
    await client.until("first");
    gateway.dataPlane.signal("SIGTERM");
    expect(await gateway.dataPlane.exited).toEqual({ code: 3, signal: null });
    expect(await client.untilClosed()).not.toContain("second");
  });
});

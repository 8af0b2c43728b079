import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressOf, bare, type CheckedGateway, NOTHING_SEEN, startCheckedGateway } from "../support/checked-gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { startRecorder } from "../support/recorder.ts";

const HASTY = { connect: 5, send: 5, read: 0.15 };

describe("what requests see of a node's health", () => {
  let plane: CheckedGateway;

  beforeAll(async () => {
    plane = await startCheckedGateway();
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  /** An upstream with a main node and one for its failures, and no probes. */
  async function mainAndSpare(id: string, passive: object | undefined, more: object = {}) {
    const main = await startRecorder();
    const spare = await startRecorder();
    const nodes = [
      { host: "127.0.0.1", port: main.port, weight: 1, priority: 1 },
      { host: "127.0.0.1", port: spare.port, weight: 1 },
    ];
    const checks = { active: { http_path: "/health" }, ...(passive && { passive }) };
    await plane.put(id, { nodes, checks, timeout: HASTY, ...more });
    return {
      main,
      spare,
      stateOfMain: async () => {
        const node = await plane.node(id, main.port);
        return { status: node?.status, ...node?.counter };
      },
      [Symbol.asyncDispose]: async () => {
        await main[Symbol.asyncDispose]();
        await spare[Symbol.asyncDispose]();
      },
    };
  }

  it("goes through the states one observation at a time", async () => {
    const passive = { healthy: { successes: 2 }, unhealthy: { http_statuses: [500], http_failures: 2 } };
    await using pair = await mainAndSpare("states", passive, { retries: 0 });
    const step = async (code: number) => {
      pair.main.answerWith(bare(code));
      await plane.ask("states");
      return pair.stateOfMain();
    };
    expect(await step(200)).toEqual({ status: "healthy", ...NOTHING_SEEN });
    expect(await step(500)).toEqual({ status: "mostly_healthy", ...NOTHING_SEEN, http_failure: 1 });
    expect(await step(404)).toEqual({ status: "mostly_healthy", ...NOTHING_SEEN, http_failure: 1 });
    expect(await step(200)).toEqual({ status: "mostly_healthy", ...NOTHING_SEEN, success: 1 });
    expect(await step(500)).toEqual({ status: "mostly_healthy", ...NOTHING_SEEN, http_failure: 1 });
    expect(await step(200)).toEqual({ status: "mostly_healthy", ...NOTHING_SEEN, success: 1 });
    expect(await step(200)).toEqual({ status: "healthy", ...NOTHING_SEEN, success: 2 });
    expect(await step(500)).toMatchObject({ status: "mostly_healthy", http_failure: 1, success: 0 });
    expect(await step(500)).toMatchObject({ status: "unhealthy", http_failure: 2 });
    expect(await plane.ask("states")).toBe(addressOf(pair.spare));

    // With the other one down too both are used as if they were well, the main one first.
    pair.spare.answerWith(bare(500));
    for (let count = 0; count < 2; count += 1) expect(await plane.ask("states")).toBe(addressOf(pair.spare));
    expect(await step(200)).toMatchObject({ status: "mostly_unhealthy", success: 1, http_failure: 0 });
    expect(await step(200)).toMatchObject({ status: "healthy", success: 2 });
    expect(await plane.ask("states")).toBe(addressOf(pair.main));
  });

  it.each([
    { what: "connections that fail", kind: "tcp_failure", limit: 2, hang: false },
    { what: "silence", kind: "timeout_failure", limit: 7, hang: true },
  ])("counts $what before a retry even without `passive`", async ({ hang, kind, limit }) => {
    await using pair = await mainAndSpare("retried", undefined);
    pair.main.answerWith((_, socket) => void (hang || socket.destroy()));
    for (let count = 1; count < limit; count += 1) {
      await plane.ask("retried");
      expect(await pair.stateOfMain()).toEqual({ status: "mostly_healthy", ...NOTHING_SEEN, [kind]: count });
    }
    await plane.ask("retried");
    expect(await pair.stateOfMain()).toMatchObject({ status: "unhealthy", [kind]: limit });
    pair.main.reset();
    expect(await plane.ask("retried")).toBe(addressOf(pair.spare));
    expect(pair.main.requests).toEqual([]);
  });

  it("goes by the limits of `passive`, where 0 switches a counter off", async () => {
    const passive = { unhealthy: { tcp_failures: 0, timeouts: 1 } };
    await using pair = await mainAndSpare("limits", passive);
    pair.main.answerWith((_, socket) => void socket.destroy());
    for (let count = 0; count < 3; count += 1) await plane.ask("limits");
    expect(await pair.stateOfMain()).toEqual({ status: "healthy", ...NOTHING_SEEN });
    pair.main.answerWith(() => {});
    await plane.ask("limits");
    expect(await pair.stateOfMain()).toMatchObject({ status: "unhealthy", timeout_failure: 1 });
  });

  it("knows a last failure to connect by its status only", async () => {
    const passive = { unhealthy: { http_statuses: [502], http_failures: 2 } };
    await using pair = await mainAndSpare("last", passive, { retries: 0 });
    await using byDefault = await mainAndSpare("last-default", {}, { retries: 0 });
    for (const [id, one] of [
      ["last", pair],
      ["last-default", byDefault],
    ] as const) {
      one.main.answerWith((_, socket) => void socket.destroy());
      await plane.ask(id);
    }
    expect(await pair.stateOfMain()).toEqual({ status: "mostly_healthy", ...NOTHING_SEEN, http_failure: 1 });
    expect(await byDefault.stateOfMain()).toEqual({ status: "healthy", ...NOTHING_SEEN });
  });

  it("is the node's status, whatever a plugin makes of it", async () => {
    const passive = { unhealthy: { http_statuses: [500], http_failures: 2 } };
    await using pair = await mainAndSpare("rewritten", passive, { retries: 0 });
    pair.main.answerWith(bare(500));
    const plugins = { "response-rewrite": { status_code: 200 } };
    await plane.gateway.route({ rewritten: { uri: "/rewritten", upstream_id: "rewritten", plugins } });
    expect((await exchange(plane.gateway.port, { target: "/rewritten" })).status).toBe(200);
    expect(await pair.stateOfMain()).toMatchObject({ status: "mostly_healthy", http_failure: 1 });
  });

  it("refuses `passive` without `active`", async () => {
    const upstream = { nodes: { "127.0.0.1:1": 1 }, checks: { passive: { type: "http" } } };
    const answer = await plane.gateway.admin.send("PUT", "/upstreams/passive-only", upstream);
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining("object matches none of the required") });
  });
});

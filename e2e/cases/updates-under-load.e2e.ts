import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

const UPDATES = 1000;
const CLIENTS = 8;
/** Updates whose way to the first request that sees them is timed. */
const TIMED_UPDATES = 100;
/** Far beyond what it takes; a value above it means that an update got lost. */
const VISIBLE_DEADLINE_MS = 10_000;

describe.each(MODES)("a thousand route updates under load (%s)", (mode) => {
  let gateway: Gateway;
  let blue: EchoUpstream;
  let green: EchoUpstream;
  let agent: Agent;

  beforeAll(async () => {
    blue = await startEchoUpstream({ reply: { body: "blue" } });
    green = await startEchoUpstream({ reply: { body: "green" } });
    agent = new Agent({ connections: CLIENTS + 1 });
    gateway = await startGateway(mode);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await agent.close();
    for (const upstream of [blue, green]) await upstream[Symbol.asyncDispose]();
  });

  const routeTo = (uri: string, upstream: EchoUpstream) => ({
    uri,
    plugins: { openfunction: { function_uri: upstream.origin } },
  });

  async function ask(path: string): Promise<string> {
    const { statusCode, body } = await request(gateway.origin + path, { dispatcher: agent });
    return `${statusCode} ${await body.text()}`;
  }

  it("fails and misroutes no request", { timeout: 180_000 }, async () => {
    await gateway.route({ steady: routeTo("/steady", blue), turning: routeTo("/turning", blue) });
    const wrong: string[] = [];
    let asked = 0;
    let isDone = false;
    const client = async () => {
      while (!isDone) {
        const [steady, turning] = [await ask("/steady"), await ask("/turning")];
        asked += 2;
        if (steady !== "200 blue") wrong.push(`/steady: ${steady}`);
        if (turning !== "200 blue" && turning !== "200 green") wrong.push(`/turning: ${turning}`);
      }
    };
    const clients = Array.from({ length: CLIENTS }, client);
    for (let update = 0; update < UPDATES; update += 1) {
      const target = update % 2 === 0 ? green : blue;
      const id = update % 4 < 2 ? "turning" : `passing-${update % 50}`;
      await gateway.admin.put(`/routes/${id}`, routeTo(id === "turning" ? "/turning" : `/${id}`, target));
    }
    isDone = true;
    await Promise.all(clients);
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(asked).toBeGreaterThan(CLIENTS);
  });

  it("makes each update visible to requests", { timeout: 180_000 }, async (context) => {
    const latencies: number[] = [];
    for (let update = 0; update < TIMED_UPDATES; update += 1) {
      const target = update % 2 === 0 ? green : blue;
      await gateway.admin.put("/routes/timed", routeTo("/timed", target));
      const writtenMs = performance.now();
      const expected = target === green ? "200 green" : "200 blue";
      await eventually(async () => (await ask("/timed")) === expected, {
        deadlineMs: VISIBLE_DEADLINE_MS,
        intervalMs: 1,
      });
      latencies.push(performance.now() - writtenMs);
    }
    const median = latencies.toSorted((a, b) => a - b)[TIMED_UPDATES / 2] ?? Number.NaN;
    await context.annotate(`update to first request that sees it, median (${mode}): ${median.toFixed(1)} ms`);
    expect(median).toBeLessThan(VISIBLE_DEADLINE_MS);
  });
});

import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

/** Values that no Admin API would have stored. */
const BROKEN = [
  ["no JSON", "{broken"],
  ["no object", '"text"'],
  ["a route without a uri", '{"id":"victim","upstream":{"type":"roundrobin","nodes":{"127.0.0.1:1":1}}}'],
  ["a wrong plugin configuration", '{"id":"victim","uri":"/victim","plugins":{"openfunction":{"timeout":"soon"}}}'],
] as const;

describe.each(MODES)("a bad object in the store (%s)", (mode) => {
  let gateway: Gateway;
  let upstream: EchoUpstream;

  beforeAll(async () => {
    upstream = await startEchoUpstream({ reply: { body: "good" } });
    gateway = await startGateway(mode);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const routeTo = (uri: string) => ({ uri, plugins: { openfunction: { function_uri: upstream.origin } } });
  const status = async (path: string) => (await fetch(gateway.origin + path)).status;

  beforeEach(() => gateway.route({ good: routeTo("/good"), victim: routeTo("/victim") }));

  it.each(BROKEN)(
    "that is %s leaves the last good version of itself and everything else in place",
    async (_, value) => {
      await gateway.writeRaw("routes/victim", value);
      await gateway.settle();
      expect(await status("/good")).toBe(200);
      expect(await status("/victim")).toBe(200);
    },
  );

  it.each(BROKEN)("that is %s and was never good harms no other", async (_, value) => {
    await gateway.writeRaw("routes/newcomer", value.replaceAll("victim", "newcomer"));
    await gateway.route({ later: routeTo("/later") });
    expect(await status("/good")).toBe(200);
    expect(await status("/later")).toBe(200);
    expect(await status("/newcomer")).toBe(404);
  });

  it("is told about in the log once, by kind and id", async () => {
    await gateway.writeRaw("routes/talked-about", "{broken");
    await gateway.settle();
    await gateway.settle();
    const about = await eventually(() => {
      const lines = gateway.dataPlane.lines.filter((line) => JSON.stringify(line).includes("talked-about"));
      return lines.length > 0 && lines;
    });
    expect(about).toHaveLength(1);
  });

  it("is replaced by the next good version", async () => {
    await gateway.writeRaw("routes/victim", "{broken");
    await gateway.route({ victim: routeTo("/healed") });
    expect(await status("/healed")).toBe(200);
    expect(await status("/victim")).toBe(404);
  });

  it("with a plugin that fails per request only harms that route", async () => {
    await gateway.route({ bad: { uri: "/bad", plugins: { openfunction: { function_uri: "nonsense" } } } });
    expect(await status("/bad")).toBe(503);
    expect(await status("/good")).toBe(200);
  });
});

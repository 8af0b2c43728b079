import { eventually, type OtlpCollector, startOtlpCollector } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Functions, startFunctions } from "../support/functions.ts";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

describe.each(MODES)("a consumer that calls a function within limits (%s)", (mode) => {
  let collector: OtlpCollector;
  let functions: Functions;
  let gateway: Gateway;
  /** What the function was told about the trace. */
  let calledWith: string | undefined;

  beforeAll(async () => {
    collector = await startOtlpCollector();
    functions = await startFunctions();
    gateway = await startGateway(mode);
    await gateway.admin.put("/plugin_metadata/opentelemetry", {
      collector: { address: collector.address },
      batch_span_processor: { max_export_batch_size: 1 },
      resource: { "service.name": "gateway" },
    });
    await gateway.admin.put("/consumers", { username: "jack", plugins: { "key-auth": { key: "key-of-jack" } } });
    await limitTo(2);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await functions[Symbol.asyncDispose]();
    await collector[Symbol.asyncDispose]();
  });

  /** Puts the route with so many requests an hour for each consumer. */
  async function limitTo(count: number): Promise<void> {
    const quota = { count, time_window: 3600, rejected_code: 429, key: "consumer_name" };
    await gateway.route({
      limited: {
        uri: "/limited/*",
        name: "limited",
        plugins: {
          "key-auth": {},
          "limit-count": quota,
          openfunction: { function_uri: functions.uri("echo") },
          opentelemetry: { sampler: { name: "always_on" } },
          prometheus: {},
        },
      },
    });
  }

  /** Calls the function. */
  async function call(path: string, headers: Readonly<Record<string, string>> = { apikey: "key-of-jack" }) {
    const response = await fetch(`${gateway.origin}/limited/${path}`, { headers });
    const quota = ["limit", "remaining", "reset"].map((name) => response.headers.get(`x-ratelimit-${name}`));
    return { status: response.status, quota, text: await response.text() };
  }

  /** Requests that the metrics count under a status and a consumer. */
  async function counted(code: number, consumer: string): Promise<number> {
    const { host, port } = gateway.dataPlane.address("metrics");
    const text = await (await fetch(`http://${host}:${port}/apisix/prometheus/metrics`)).text();
    const line = text
      .split("\n")
      .find(
        (one) =>
          one.startsWith(`apisix_http_status{code="${code}"`) &&
          one.includes('route="limited"') &&
          one.includes(`consumer="${consumer}"`),
      );
    return Number(line?.split(" ").at(-1) ?? 0);
  }

  it("is known by its key, and nobody else is let through", async () => {
    expect(await call("", {})).toMatchObject({ status: 401, quota: [null, null, null] });
    expect(await call("", { apikey: "other" })).toMatchObject({ status: 401 });
    await collector.span(2);
    expect(collector.spans.map(({ attributes }) => attributes["http.status_code"])).toEqual(["401", "401"]);
  });

  it("is told its quota with every answer, and refused beyond it", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const first = await call("a", { apikey: "key-of-jack", traceparent });
    expect(first).toMatchObject({ status: 200, quota: ["2", "1", expect.stringMatching(/^\d+/)] });
    const { headers } = JSON.parse(first.text) as { headers: Record<string, string> };
    expect(headers["x-consumer-username"]).toBe("jack");
    expect(headers["traceparent"]).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[\da-f]{16}-01$/);
    calledWith = headers["traceparent"];
    const second = await call("b");
    expect(second).toMatchObject({ status: 200, quota: ["2", "0", expect.stringMatching(/^\d+/)] });
    const third = await call("c");
    expect(third).toMatchObject({ status: 429, quota: ["2", "0", expect.stringMatching(/^\d+/)] });
    expect(Number(third.quota[2])).toBeGreaterThan(3000);
  });

  it("is in the metrics by its name", async () => {
    await eventually(async () => {
      expect([await counted(200, "jack"), await counted(429, "jack"), await counted(401, "")]).toEqual([2, 1, 2]);
    });
  });

  it("is in the traces, which go on in the function", async () => {
    const span = await eventually(() => {
      const found = collector.spans.find(({ attributes }) => attributes["url.path"] === "/limited/a");
      return found ?? expect.fail("the span has not arrived");
    });
    expect(span).toMatchObject({
      name: "GET /limited/*",
      traceId: "0af7651916cd43dd8448eb211c80319c",
      parentSpanId: "b7ad6b7169203331",
      resource: { "service.name": "gateway" },
      attributes: { "apisix.route_name": "limited", "http.response.status_code": "200" },
    });
    expect(calledWith).toBe(`00-${span.traceId}-${span.spanId}-01`);
  });

  it("has the new limit with the next request when it changes, in the same process", async () => {
    const { pid } = gateway.dataPlane;
    expect(await call("d")).toMatchObject({ status: 429 });
    await limitTo(5);
    expect(await call("e")).toMatchObject({ status: 200, quota: ["5", "4", expect.stringMatching(/^\d+/)] });
    expect([gateway.dataPlane.isRunning, gateway.dataPlane.pid]).toEqual([true, pid]);
    await eventually(async () => expect([await counted(200, "jack"), await counted(429, "jack")]).toEqual([3, 2]));
  });
});

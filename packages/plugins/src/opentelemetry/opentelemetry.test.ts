import { type GatewaySetup, type RunningGateway, runGateway } from "@fngate/data-plane/testing";
import {
  describePlugin,
  fakeDeps,
  fakeHttp,
  fakeLogContext,
  fakeMetrics,
  fakeShared,
} from "@fngate/plugin-kit/testing";
import { eventually, FakeClock, type OtlpCollector, startOtlpCollector } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { openfunction } from "../openfunction/index.ts";
import { requestId } from "../request-id/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { opentelemetry } from "./index.ts";
import { opentelemetryMetadataSchema } from "./metadata.ts";
import { opentelemetrySchema } from "./schema.ts";

describePlugin(opentelemetry, { folder: import.meta.dirname, config: { sampler: { name: "always_on" } } });

const OFF = { name: "always_off", options: { fraction: 0 } };

describeSchema(opentelemetrySchema, {
  defaults: [{}, { sampler: { name: "always_off", options: { fraction: 0, root: OFF } } }],
  accepts: [
    { sampler: { name: "trace_id_ratio", options: { fraction: 0.5 } } },
    { sampler: { name: "parent_base", options: { root: { name: "always_on" } } } },
    { additional_attributes: ["uri"], additional_header_prefix_attributes: ["x-my-*"], other: 1 },
  ],
  refuses: [
    [{ sampler: { name: "sometimes" } }, "sampler.name"],
    [{ sampler: { options: { fraction: "1" } } }, "sampler.options.fraction"],
    [{ sampler: { name: "parent_base", options: { root: { name: "parent_base" } } } }, "sampler.options.root.name"],
    [{ additional_attributes: [""] }, "additional_attributes.0"],
    [{ additional_header_prefix_attributes: "x" }, "additional_header_prefix_attributes"],
  ],
});

describe("metadata", () => {
  it("fills the defaults in", () => {
    expect(opentelemetryMetadataSchema.parse({})).toEqual({
      trace_id_source: "random",
      collector: { address: "127.0.0.1:4318", request_timeout: 3 },
      batch_span_processor: {},
      set_ngx_var: false,
    });
  });

  it.each([
    [{ trace_id_source: "uuid" }, ["trace_id_source"]],
    [{ resource: { a: [] } }, ["resource", "a"]],
    [{ collector: { request_timeout: "3" } }, ["collector", "request_timeout"]],
    [{ batch_span_processor: { max_queue_size: 1.5 } }, ["batch_span_processor", "max_queue_size"]],
  ])("refuses %j", (metadata, path) => {
    expect(opentelemetryMetadataSchema.safeParse(metadata).error?.issues[0]?.path).toEqual(path);
  });
});

const ALWAYS = { sampler: { name: "always_on" } };

/** Settings that send every span as it comes. */
function settingsFor(collector: OtlpCollector, settings: object = {}) {
  return { collector: { address: collector.address }, batch_span_processor: { max_export_batch_size: 1 }, ...settings };
}

type Metadata = Readonly<Record<string, unknown>>;

function start(config: object, metadata: Metadata | undefined, setup: GatewaySetup = {}): Promise<RunningGateway> {
  return runGateway({
    plugins: [opentelemetry, openfunction, requestId],
    routes: { 1: { name: "orders", uri: "/orders/*", plugins: { opentelemetry: config } } },
    ...(metadata === undefined ? {} : { pluginMetadata: { opentelemetry: metadata } }),
    ...setup,
  });
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

describe("opentelemetry", () => {
  it("tells the collector of a request, and the upstream of the span", async () => {
    await using collector = await startOtlpCollector();
    await using gateway = await start(ALWAYS, settingsFor(collector));
    await gateway.get("/orders/1?a=b", { "user-agent": "test", tracestate: "left=over" });
    const span = await collector.span();
    expect(span).toMatchObject({
      name: "GET /orders/*",
      kind: 2,
      parentSpanId: "",
      status: { code: 0 },
      resource: { "service.name": "APISIX", hostname: expect.stringMatching(/./) },
    });
    expect(span.durationMs).toBeGreaterThan(0);
    expect(span.attributes).toEqual({
      "net.host.name": "127.0.0.1",
      "http.method": "GET",
      "http.scheme": "http",
      "http.target": "/orders/1?a=b",
      "http.user_agent": "test",
      "http.request.method": "GET",
      "url.scheme": "http",
      "url.path": "/orders/1",
      "user_agent.original": "test",
      "http.route": "/orders/*",
      "apisix.route_id": "1",
      "apisix.route_name": "orders",
      "apisix.response_source": "upstream",
      "http.status_code": "200",
      "http.response.status_code": "200",
    });
    const { headers } = await gateway.upstream.request();
    expect(headers["traceparent"]).toBe(`00-${span.traceId}-${span.spanId}-01`);
    expect(headers).not.toHaveProperty("tracestate");
  });

  it("goes on with the caller's trace, and hands it to a function", async () => {
    await using collector = await startOtlpCollector();
    await using gateway = await start(ALWAYS, settingsFor(collector));
    const function_uri = `http://127.0.0.1:${gateway.upstream.port}/function`;
    await gateway.put("routes/1", { uri: "/f", plugins: { opentelemetry: ALWAYS, openfunction: { function_uri } } });
    await gateway.get("/f", { traceparent: `00-${TRACE}-${PARENT}-00`, tracestate: "a=1,b=2" });
    const span = await collector.span();
    expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, traceState: "a=1,b=2" });
    expect(span.attributes["apisix.response_source"]).toBe("apisix");
    expect((await gateway.upstream.request()).headers).toMatchObject({
      traceparent: `00-${TRACE}-${span.spanId}-01`,
      tracestate: "a=1,b=2",
    });
  });

  it.each([
    ["00-0-0-01"],
    [`00-${"0".repeat(32)}-${PARENT}-01`],
    [`ff-${TRACE}-${PARENT}-01`],
    [`00-${TRACE}-${PARENT}-01-more`],
  ])("begins a trace of its own where the caller's is %s", async (traceparent) => {
    await using collector = await startOtlpCollector();
    await using gateway = await start(ALWAYS, settingsFor(collector));
    await gateway.get("/orders/1", { traceparent });
    expect(await collector.span()).toMatchObject({ parentSpanId: "", traceId: expect.not.stringMatching(TRACE) });
  });

  it.each([
    [{ name: "always_on" }, "00", true],
    [{ name: "always_off" }, "01", false],
    [{}, "01", false],
    [{ name: "trace_id_ratio", options: { fraction: 1 } }, "00", true],
    [{ name: "trace_id_ratio" }, "01", false],
    [{ name: "parent_base" }, "01", true],
    [{ name: "parent_base", options: { root: { name: "always_on" } } }, "00", false],
    [{ name: "parent_base", options: { root: { name: "always_on" } } }, undefined, true],
    [{ name: "parent_base", options: { root: { name: "trace_id_ratio", options: { fraction: 1 } } } }, undefined, true],
    [{ name: "parent_base" }, undefined, false],
  ])("with sampler %j and a caller's flags %s records: %j", async (sampler, flags, isRecorded) => {
    await using collector = await startOtlpCollector();
    await using gateway = await start({ sampler }, settingsFor(collector));
    await gateway.get("/orders/1", flags === undefined ? {} : { traceparent: `00-${TRACE}-${PARENT}-${flags}` });
    const { headers } = await gateway.upstream.request();
    expect(String(headers["traceparent"]).slice(-2)).toBe(isRecorded ? "01" : "00");
    // What is recorded of a second request comes after what was recorded of the first.
    await gateway.put("routes/1", { uri: "/last", plugins: { opentelemetry: ALWAYS } });
    await gateway.get("/last");
    const first = await collector.span();
    expect(first.name).toBe(isRecorded ? "GET /orders/*" : "GET /last");
  });

  it("takes variables and fields into the span", async () => {
    const config = {
      ...ALWAYS,
      additional_attributes: ["arg_foo", "cookie_token", "remote_addr", "http_none"],
      additional_header_prefix_attributes: ["X-Single", "x-my-*", "x-none"],
    };
    await using collector = await startOtlpCollector();
    await using gateway = await start(config, settingsFor(collector));
    const fields = { cookie: "token=t", "x-single": "s", "X-My-A": "1", "x-my-b": "2" };
    await gateway.get("/orders/1?foo=bar", fields);
    const { attributes } = await collector.span();
    expect(attributes).toMatchObject({
      arg_foo: "bar",
      cookie_token: "t",
      remote_addr: "127.0.0.1",
      "X-Single": "s",
      "x-my-a": "1",
      "x-my-b": "2",
    });
    expect(Object.keys(attributes)).not.toContain("http_none");
    expect(Object.keys(attributes)).not.toContain("x-none");
  });

  it("marks server errors, and says who made them", async () => {
    await using collector = await startOtlpCollector();
    await using gateway = await start(ALWAYS, settingsFor(collector), { upstream: { status: 500 } });
    await gateway.get("/orders/1");
    await gateway.put("routes/1", {
      uri: "/gone",
      plugins: { opentelemetry: ALWAYS },
      upstream: { nodes: { "127.0.0.1:1": 1 } },
    });
    await gateway.get("/gone");
    await gateway.get("/orders/1");
    expect((await collector.span(1)).status).toEqual({ code: 2, message: "upstream error: 500" });
    expect((await collector.span(2)).status).toEqual({ code: 2, message: "nginx error: 502" });
  });

  it.each([
    ["0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcdef"],
    ["not-one", undefined],
    ["0".repeat(32), undefined],
  ])("makes a trace of the request id %s: %s", async (id, traceId) => {
    await using collector = await startOtlpCollector();
    await using gateway = await start(ALWAYS, settingsFor(collector, { trace_id_source: "x-request-id" }));
    await gateway.get("/orders/1", { "x-request-id": id });
    const span = await collector.span();
    if (traceId === undefined) expect(span.traceId).not.toBe(id);
    else expect(span.traceId).toBe(traceId);
  });

  it("tells the trace in variables when asked to", async () => {
    await using collector = await startOtlpCollector();
    const lines: string[] = [];
    const variables = ["context_traceparent", "trace_id", "span_id"].map((name) => `$opentelemetry_${name}`);
    const options = {
      accessLog: { write: (line: string) => lines.push(line) },
      accessLogTemplate: variables.join(" "),
    };
    await using gateway = await start(ALWAYS, settingsFor(collector, { set_ngx_var: true }), { options });
    await gateway.get("/orders/1");
    const { spanId, traceId } = await collector.span();
    expect(lines).toEqual([`00-${traceId}-${spanId}-01 ${traceId} ${spanId}\n`]);
  });

  it("does nothing without settings, and follows those that come", async () => {
    await using collector = await startOtlpCollector();
    await using gateway = await start(ALWAYS, undefined);
    await gateway.get("/orders/1");
    expect((await gateway.upstream.request()).headers).not.toHaveProperty("traceparent");
    const resource = { "service.name": "shop", numbered: 1.5, flagged: true };
    await gateway.put("plugin_metadata/opentelemetry", settingsFor(collector, { resource }));
    await gateway.get("/orders/2");
    expect((await collector.span()).resource).toMatchObject(resource);
    const request_headers = { authorization: "token" };
    await gateway.put("plugin_metadata/opentelemetry", {
      ...settingsFor(collector),
      collector: { address: `http://${collector.address}/`, request_headers },
    });
    await gateway.get("/orders/3");
    await collector.span(2);
    expect(collector.requests[1]).toMatchObject({
      method: "POST",
      headers: { "content-type": "application/x-protobuf", ...request_headers },
    });
  });

  it("takes its settings from config.yaml where there is no metadata", async () => {
    await using collector = await startOtlpCollector();
    const options = { pluginAttributes: { opentelemetry: settingsFor(collector) } };
    await using gateway = await start(ALWAYS, undefined, { options });
    await gateway.get("/orders/1");
    expect((await collector.span()).name).toBe("GET /orders/*");
  });

  it("sends what it has when the gateway stops", async () => {
    await using collector = await startOtlpCollector();
    await using gateway = await start(ALWAYS, { collector: { address: collector.address } });
    await gateway.get("/orders/1");
    await gateway.plane.stop({ deadlineMs: 5_000 });
    expect(collector.spans).toHaveLength(1);
  });
});

describe("spans that wait", () => {
  /** Runs so many requests through an instance. */
  function trace(requests: number, batch: object, respond: Parameters<typeof fakeHttp>[0]) {
    const [clock, http, metrics, shared] = [new FakeClock(), fakeHttp(respond), fakeMetrics(), fakeShared()];
    const current = opentelemetryMetadataSchema.parse({ batch_span_processor: batch });
    const deps = fakeDeps({ clock, http, metrics, shared, metadata: { current } });
    const instance = opentelemetry.setup(opentelemetrySchema.parse(ALWAYS), deps);
    for (let count = 0; count < requests; count += 1) {
      const context = fakeLogContext();
      void instance.rewrite?.(context);
      instance.log?.(context);
    }
    const dropped = (reason: string) =>
      metrics.valueOf("fngate_dropped_entries_total", { plugin: "opentelemetry", reason });
    return { clock, dropped, http, instance };
  }

  it("go out together when there are many, or when no further one comes", async () => {
    const { clock, http } = trace(3, { max_export_batch_size: 2, inactive_timeout: 1.5 }, () => ({}));
    expect(http.calls).toHaveLength(1);
    await clock.advance(1_499);
    expect(http.calls).toHaveLength(1);
    await clock.advance(1);
    expect(http.calls).toHaveLength(2);
  });

  it("are dropped and counted when they are too many", () => {
    const { dropped } = trace(5, { max_export_batch_size: 2, max_queue_size: 2 }, () => new Promise(() => {}));
    expect(dropped("backlog")).toBe(3);
  });

  it("are tried again, then given up and counted", async () => {
    const { clock, dropped, http } = trace(1, { max_export_batch_size: 1 }, () => ({ status: 503 }));
    for (const tries of [1, 2, 3]) {
      await clock.untilSleeping();
      expect([http.calls.length, dropped("failed")]).toEqual([tries, undefined]);
      await clock.advance(1_000);
    }
    await eventually(() => expect(dropped("failed")).toBe(1));
    expect(http.calls).toHaveLength(4);
  });
});

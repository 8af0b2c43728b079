import { type GatewaySetup, type RunningGateway, runGateway } from "@fngate/data-plane/testing";
import { describePlugin, fakeDeps, fakeHttp, fakeLogContext, fakeRequestContext } from "@fngate/plugin-kit/testing";
import { FakeClock, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { keyAuth } from "../key-auth/index.ts";
import { openfunction } from "../openfunction/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { zipkin } from "./index.ts";
import { zipkinSchema } from "./schema.ts";

const MINIMAL = { endpoint: "http://127.0.0.1:9411/api/v2/spans", sample_ratio: 1 };

describePlugin(zipkin, { folder: import.meta.dirname, config: MINIMAL });

describeSchema(zipkinSchema, {
  defaults: [MINIMAL, { ...MINIMAL, service_name: "APISIX", span_version: 2 }],
  accepts: [{ ...MINIMAL, sample_ratio: 0.00001, service_name: "n", server_addr: "10.0.0.1", span_version: 1 }],
  refuses: [
    [{ sample_ratio: 1 }, "endpoint"],
    [{ endpoint: "e" }, "sample_ratio"],
    [{ ...MINIMAL, sample_ratio: 0 }, "sample_ratio"],
    [{ ...MINIMAL, sample_ratio: 1.1 }, "sample_ratio"],
    [{ ...MINIMAL, server_addr: "host" }, "server_addr"],
    [{ ...MINIMAL, span_version: 3 }, "span_version"],
  ],
});

const TRACE = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN = "e457b5a2e4d86bd1";
const ID = /^[\da-f]{16}$/;

function start(config: object, setup: GatewaySetup = {}): Promise<RunningGateway> {
  return runGateway({
    plugins: [zipkin, openfunction, keyAuth],
    routes: { 1: { uri: "/*", plugins: { zipkin: { ...MINIMAL, ...config } } } },
    ...setup,
  });
}

describe("zipkin", () => {
  /** Spans that a server gets of one request, sent by a gateway that stops. */
  async function recorded(config: object, setup: GatewaySetup = {}) {
    await using server = await startEchoUpstream({ reply: { status: 202 } });
    await using gateway = await start({ endpoint: `${server.origin}/api/v2/spans`, ...config }, setup);
    await gateway.get("/path?a=b", { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN });
    const seen = { headers: gateway.upstream.requests[0]?.headers, port: gateway.portOf() };
    await gateway.plane.stop({ deadlineMs: 5_000 });
    const [call] = server.requests;
    expect(call).toMatchObject({
      method: "POST",
      url: "/api/v2/spans",
      headers: { "content-type": "application/json" },
    });
    return { spans: JSON.parse(String(call?.body)) as Record<string, unknown>[], ...seen };
  }

  const span = (spans: readonly Record<string, unknown>[], name: string) => spans.find((one) => one["name"] === name);

  it("tells a server of a request, of the call and of the answer", async () => {
    const { headers, port, spans } = await recorded({});
    expect(spans).toHaveLength(3);
    const request = span(spans, "apisix.request");
    expect(request).toEqual({
      traceId: TRACE,
      id: expect.stringMatching(ID),
      parentId: SPAN,
      name: "apisix.request",
      kind: "SERVER",
      timestamp: expect.any(Number),
      duration: expect.any(Number),
      localEndpoint: { serviceName: "APISIX", ipv4: "127.0.0.1", port },
      remoteEndpoint: { ipv4: "127.0.0.1", port: expect.any(Number) },
      tags: {
        component: "apisix",
        "http.method": "GET",
        "http.url": "/path?a=b",
        "http.status_code": "200",
        "apisix.response_source": "upstream",
      },
    });
    const call = span(spans, "apisix.proxy");
    expect(call).toMatchObject({ traceId: TRACE, parentId: request?.["id"], tags: {} });
    expect(span(spans, "apisix.response_span")).toMatchObject({ traceId: TRACE, parentId: request?.["id"] });
    expect(headers).toMatchObject({
      "x-b3-traceid": TRACE,
      "x-b3-spanid": call?.["id"],
      "x-b3-parentspanid": request?.["id"],
      "x-b3-sampled": "1",
    });
    for (const { duration, timestamp } of spans) {
      expect([Number.isInteger(timestamp), Number.isInteger(duration)]).toEqual([true, true]);
      expect(Math.abs(Number(timestamp) / 1000 - Date.now())).toBeLessThan(60_000);
    }
  });

  it("tells of the phases of a request in version 1", async () => {
    const { headers, spans } = await recorded({ span_version: 1, service_name: "shop", server_addr: "10.0.0.1" });
    const request = span(spans, "apisix.request");
    const call = span(spans, "apisix.proxy");
    expect(spans.map(({ name, parentId }) => [name, parentId])).toEqual([
      ["apisix.rewrite", request?.["id"]],
      ["apisix.access", request?.["id"]],
      ["apisix.body_filter", call?.["id"]],
      ["apisix.proxy", request?.["id"]],
      ["apisix.request", SPAN],
    ]);
    expect(request).toMatchObject({ localEndpoint: { serviceName: "shop", ipv4: "10.0.0.1" } });
    expect(headers?.["x-b3-spanid"]).toBe(call?.["id"]);
  });

  it("records a request that another plugin answers", async () => {
    const plugins = { zipkin: MINIMAL, "key-auth": {} };
    await using server = await startEchoUpstream();
    const config = { ...MINIMAL, endpoint: server.origin };
    await using gateway = await start({}, { routes: { 1: { uri: "/*", plugins: { ...plugins, zipkin: config } } } });
    expect((await gateway.get("/")).status).toBe(401);
    await gateway.plane.stop({ deadlineMs: 5_000 });
    const spans = JSON.parse(String(server.requests[0]?.body)) as Record<string, unknown>[];
    expect(span(spans, "apisix.request")).toMatchObject({
      tags: { "http.status_code": "401", "apisix.response_source": "apisix" },
    });
  });

  /** Fields of traces that an upstream gets. */
  async function passedOn(sent: Readonly<Record<string, string>>, config: object = {}) {
    await using gateway = await start(config);
    const { status } = await gateway.get("/", sent);
    const headers = gateway.upstream.requests[0]?.headers ?? {};
    return { status, ...Object.fromEntries(Object.entries(headers).filter(([name]) => name.includes("b3"))) };
  }

  it.each([
    [{ b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` }, { "x-b3-traceid": TRACE, "x-b3-sampled": "1" }],
    [{ b3: `${TRACE}-${SPAN}` }, { "x-b3-traceid": TRACE, "x-b3-sampled": "1" }],
    [{ b3: `${TRACE}-${SPAN}-d` }, { "x-b3-traceid": TRACE, "x-b3-sampled": "1", "x-b3-flags": "1" }],
    [
      { b3: `${TRACE}-${SPAN}-0` },
      {
        "x-b3-traceid": TRACE,
        "x-b3-sampled": "0",
        "x-b3-parentspanid": SPAN,
        "x-b3-spanid": expect.stringMatching(ID),
      },
    ],
    [{ b3: "0" }, { "x-b3-sampled": "0", "x-b3-traceid": expect.stringMatching(/^[\da-f]{32}$/) }],
    [{ "x-b3-traceid": SPAN }, { "x-b3-traceid": SPAN }],
    [{ "x-b3-traceid": "not-one", "x-b3-spanid": SPAN }, { "x-b3-traceid": expect.stringMatching(/^[\da-f]{32}$/) }],
    [{ "x-b3-traceid": TRACE, "x-b3-spanid": "1" }, { "x-b3-traceid": expect.not.stringMatching(TRACE) }],
  ])("passes %j on as %j", async (sent, expected) => {
    const seen = await passedOn(sent);
    expect(seen).toMatchObject({ status: 200, ...expected });
    expect(seen).not.toHaveProperty("b3");
  });

  it("passes no parent on that belongs to nothing", async () => {
    const sent = { "x-b3-sampled": "0", "x-b3-parentspanid": SPAN };
    expect(await passedOn(sent)).not.toHaveProperty("x-b3-parentspanid");
  });

  it.each([[TRACE], [`-${SPAN}`], [""]])("answers 400 when b3 is %j", async (b3) => {
    expect(await passedOn({ b3 })).toEqual({ status: 400 });
  });

  it.each([
    [{ "x-b3-sampled": "1" }, "1"],
    [{ "x-b3-sampled": "true" }, "1"],
    [{ "x-b3-flags": "1" }, "1"],
    [{ "x-b3-flags": "1", "x-b3-sampled": "0" }, "0"],
    [{ "x-b3-sampled": "false" }, "0"],
  ])("does as the caller decided by %j, whatever the share is", async (sent, sampled) => {
    expect(await passedOn(sent, { sample_ratio: 0.00001 })).toMatchObject({ "x-b3-sampled": sampled });
    expect(await passedOn(sent, { sample_ratio: 1 })).toMatchObject({ "x-b3-sampled": sampled });
  });

  it("hands the trace to a function", async () => {
    await using gateway = await start({});
    const function_uri = `http://127.0.0.1:${gateway.upstream.port}/`;
    await gateway.put("routes/1", { uri: "/f", plugins: { zipkin: MINIMAL, openfunction: { function_uri } } });
    await gateway.get("/f", { b3: `${TRACE}-${SPAN}-0` });
    expect((await gateway.upstream.request()).headers).toMatchObject({
      "x-b3-traceid": TRACE,
      "x-b3-parentspanid": SPAN,
      "x-b3-sampled": "0",
    });
  });

  it("tells the trace in variables when config.yaml asks for it", async () => {
    const lines: string[] = [];
    const names = ["context_traceparent", "trace_id", "span_id"].map((name) => `$zipkin_${name}`);
    const options = {
      accessLog: { write: (line: string) => lines.push(line) },
      accessLogTemplate: names.join(" "),
      pluginAttributes: { zipkin: { set_ngx_var: true } },
    };
    await using gateway = await start({}, { options });
    await gateway.get("/", { b3: `${TRACE}-${SPAN}-0` });
    const id = (await gateway.upstream.request()).headers["x-b3-spanid"];
    expect(lines).toEqual([`00-${TRACE}-${String(id)}-00 ${TRACE} ${String(id)}\n`]);
  });
});

describe("sampling", () => {
  it("records the share of the requests that is asked for", async () => {
    const [clock, http] = [new FakeClock(), fakeHttp()];
    const chances = [0.49, 0.5];
    const deps = fakeDeps<unknown, object>({ clock, http, random: () => chances.shift() ?? 1 });
    const instance = zipkin.setup(zipkinSchema.parse({ ...MINIMAL, sample_ratio: 0.5 }), deps);
    for (const _request of chances.slice()) {
      const context = fakeLogContext();
      void instance.rewrite?.(context);
      instance.log?.(context);
    }
    await clock.advance(4_999);
    expect(http.calls).toHaveLength(0);
    await clock.advance(1);
    expect(JSON.parse(String(http.calls[0]?.body))).toHaveLength(2);
  });

  it("tells addresses of IPv6 as such", async () => {
    const [clock, http] = [new FakeClock(), fakeHttp()];
    const instance = zipkin.setup(zipkinSchema.parse(MINIMAL), fakeDeps<unknown, object>({ clock, http }));
    const context = fakeLogContext({ variables: { server_addr: "::1", remote_port: "1234" } });
    context.request.remoteAddress = "::2";
    void instance.rewrite?.(context);
    instance.log?.(context);
    await clock.advance(5_000);
    const spans = JSON.parse(String(http.calls[0]?.body)) as Record<string, unknown>[];
    expect(spans.at(-1)).toMatchObject({
      localEndpoint: { ipv6: "::1", port: 9080 },
      remoteEndpoint: { ipv6: "::2", port: 1234 },
    });
  });

  it("leaves an unsampled request without spans", () => {
    const http = fakeHttp();
    const instance = zipkin.setup(zipkinSchema.parse(MINIMAL), fakeDeps<unknown, object>({ http }));
    const context = fakeRequestContext({ headers: ["X-B3-Sampled", "0"] });
    void instance.rewrite?.(context);
    void instance.access?.(context);
    expect(context.request.headers.get("x-b3-sampled")).toBe("0");
    instance.dispose?.();
    expect(http.calls).toEqual([]);
  });
});

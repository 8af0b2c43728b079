import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { LogContext } from "@fngate/plugin-kit";
import { fakeDeps, fakeLogContext, fakeServer } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import type { LogConfig, LogMetadata } from "./log-fields.ts";
import { createRequestLog } from "./request-log.ts";

const CONFIG: LogConfig = {
  include_req_body: false,
  include_resp_body: false,
  max_req_body_bytes: 100,
  max_resp_body_bytes: 100,
};

interface Setup {
  readonly config?: Partial<LogConfig>;
  readonly metadata?: LogMetadata;
}

function logOf({ config = {}, metadata }: Setup = {}) {
  const server = fakeServer({ hostname: "h", version: "3.18.0" });
  const deps = fakeDeps<unknown, LogMetadata>({ metadata: { current: metadata }, server });
  return createRequestLog({ ...CONFIG, ...config }, deps);
}

/** The entry about a request that went through all phases. */
function entryOf(setup: Setup, context: LogContext = fakeLogContext()): Record<string, unknown> {
  const log = logOf(setup);
  void log.phases.access?.(context);
  log.phases.headerFilter?.(context);
  return log.entryOf(context);
}

/** A context with what its bodies were, and which of them somebody asked for. */
function contextOf(bodies: { request?: Uint8Array | string; response?: Uint8Array | string }, coding?: string) {
  const asked: Record<string, number> = {};
  const responseHeaders = coding === undefined ? [] : ["Content-Encoding", coding];
  const context: LogContext = {
    ...fakeLogContext({ responseHeaders, variables: { arg_log: "yes" } }),
    capture: (body, maxBytes) => {
      asked[body] = maxBytes;
    },
    captured: (body) => (bodies[body] === undefined ? undefined : Buffer.from(bodies[body] as string)),
  };
  return { asked, context };
}

describe("default entry", () => {
  it("has APISIX's members", () => {
    const context: LogContext = {
      ...fakeLogContext({
        method: "POST",
        path: "/a",
        query: "x=1&x=%C3%A4&y",
        headers: ["Host", "gateway.test", "X-Two", "a", "x-two", "b"],
        responseHeaders: ["Content-Type", "text/plain"],
        status: 201,
        route: { id: "7", serviceId: "s" },
        consumer: { name: "jack" },
        variables: { request_uri: "/a?x=1", upstream_addr: "127.0.0.1:1980" },
      }),
      timings: { startedAtMs: 1_000, totalMs: 12.3456, upstreamMs: 10 },
      traffic: { receivedBytes: 5, sentBytes: 6 },
    };
    expect(entryOf({}, context)).toEqual({
      request: {
        url: "http://gateway.test:9080/a?x=1",
        uri: "/a?x=1",
        method: "POST",
        headers: { host: "gateway.test", "x-two": ["a", "b"] },
        querystring: { x: ["1", "ä"], y: true },
        size: 5,
      },
      response: { status: 201, headers: { "content-type": "text/plain" }, size: 6 },
      server: { hostname: "h", version: "3.18.0" },
      upstream: "127.0.0.1:1980",
      service_id: "s",
      route_id: "7",
      consumer: { username: "jack" },
      client_ip: "127.0.0.1",
      start_time: 1_000,
      latency: 12.346,
      upstream_latency: 10,
      apisix_latency: 2.346,
    });
  });

  it("names the host as service of a request without a route", () => {
    expect(entryOf({}, fakeLogContext({ isUnmatched: true }))).toMatchObject({ service_id: "gateway.test" });
  });

  it("gets further members, which replace none", () => {
    const entry = entryOf(
      { config: { log_format_extra: { env: "$http_env", route_id: "other", consumer: "nobody" } } },
      fakeLogContext({ variables: { http_env: "dev" } }),
    );
    expect(entry).toMatchObject({ env: "dev", route_id: "1", consumer: "nobody" });
  });
});

describe("log_format", () => {
  it("has constants, variables and maps, and the ids of route and service", () => {
    const log_format = {
      host: "$host",
      none: "$arg_none",
      status: "$status",
      "upstream time": "$upstream_response_time",
      fixed: "text",
      number: 1,
      nested: { list: ["$host", true], request: { uri: "$uri" } },
    };
    const variables = { host: "h", uri: "/\u00c3\u00a4", status: "200", upstream_response_time: "0.5, 0.25" };
    expect(entryOf({ config: { log_format } }, fakeLogContext({ variables }))).toEqual({
      host: "h",
      status: 200,
      "upstream time": 0.75,
      fixed: "text",
      number: 1,
      nested: { list: ["h", true], request: { uri: "/ä" } },
      route_id: "1",
      service_id: undefined,
    });
  });

  it("is empty below the fifth level", () => {
    const log_format = { a: { b: { c: { d: { e: { f: "$host" } } } } } };
    expect(entryOf({ config: { log_format } })).toMatchObject({ a: { b: { c: { d: { e: {} } } } } });
  });

  it("of the metadata counts where the configuration has none, unless it is empty", () => {
    const metadata = { log_format: { from: "metadata" } };
    expect(entryOf({ metadata })).toMatchObject({ from: "metadata" });
    expect(entryOf({ metadata, config: { log_format: { from: "configuration" } } })).toMatchObject({
      from: "configuration",
    });
    expect(entryOf({ metadata: { log_format: {} } })).toHaveProperty("request");
    expect(entryOf({ metadata: { log_format_extra: { more: 1 } } })).toMatchObject({ more: 1, route_id: "1" });
  });

  it("of changed metadata is in force with the next entry", () => {
    let metadata: LogMetadata = { log_format: { turn: 1 } };
    const deps = fakeDeps<unknown, LogMetadata>({
      metadata: {
        get current() {
          return metadata;
        },
      },
    });
    const log = createRequestLog(CONFIG, deps);
    expect(log.entryOf(fakeLogContext())).toMatchObject({ turn: 1 });
    metadata = { log_format: { turn: 2 } };
    expect(log.entryOf(fakeLogContext())).toMatchObject({ turn: 2 });
  });

  it("has the request's body on demand", () => {
    const { asked, context } = contextOf({ request: "a body" });
    const config = { log_format: { body: "$request_body", answer: "$resp_body" } };
    expect(entryOf({ config }, context)).toMatchObject({ body: "a body", answer: "" });
    expect(asked).toEqual({ request: 100 });
  });
});

describe("bodies", () => {
  it("are kept and logged up to their bounds, on demand only", () => {
    const { asked, context } = contextOf({ request: "request", response: "response" });
    const bounds = { max_req_body_bytes: 3, max_resp_body_bytes: 4 };
    expect(entryOf({ config: bounds }, context)).not.toHaveProperty("request.body");
    expect(asked).toEqual({});
    const config = { ...bounds, include_req_body: true, include_resp_body: true };
    expect(entryOf({ config }, context)).toMatchObject({ request: { body: "req" }, response: { body: "resp" } });
    expect(asked).toEqual({ request: 3, response: 4 });
  });

  it("are logged when their conditions hold", () => {
    const conditions = (value: string) => ({
      include_req_body: true,
      include_req_body_expr: [["arg_log", "==", value]],
      include_resp_body: true,
      include_resp_body_expr: [["arg_log", "==", value]],
    });
    const met = contextOf({ request: "a", response: "b" });
    expect(entryOf({ config: conditions("yes") }, met.context)).toMatchObject({
      request: { body: "a" },
      response: { body: "b" },
    });
    const missed = contextOf({ request: "a", response: "b" });
    const entry = entryOf({ config: conditions("no") }, missed.context);
    expect(entry).not.toHaveProperty("request.body");
    expect(entry).not.toHaveProperty("response.body");
    expect(missed.asked).toEqual({});
  });

  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ])("of coding %s are decoded, as far as they were kept", (coding, encode) => {
    const text = "answer ".repeat(20_000);
    const config = { include_resp_body: true, max_resp_body_bytes: 100_000 };
    const whole = contextOf({ response: encode(text) }, coding);
    expect(entryOf({ config }, whole.context)).toMatchObject({ response: { body: text } });
    const cut = contextOf({ response: encode(text).subarray(0, 40) }, coding);
    const { response } = entryOf({ config }, cut.context) as { response: { body: string } };
    expect(text.startsWith(response.body)).toBe(true);
  });

  it("that are not what they say, or become too large, are logged as they came", () => {
    const config = { include_resp_body: true, max_resp_body_bytes: 100_000 };
    const { context } = contextOf({ response: "plain" }, "gzip");
    expect(entryOf({ config }, context)).toMatchObject({ response: { body: "plain" } });
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));
    const { response } = entryOf({ config }, contextOf({ response: bomb }, "gzip").context) as {
      response: { body: string };
    };
    expect(response.body.length).toBeLessThanOrEqual(bomb.length);
  });
});

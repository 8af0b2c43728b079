import { setTimeout as delay } from "node:timers/promises";
import { type FunctionCall, isPending, type PhaseResult, type PluginDefinition } from "@fngate/plugin-kit";
import {
  describePlugin,
  type FakeRequestOptions,
  fakeConnections,
  fakeDeps,
  fakeRequestContext,
  recordingLogger,
  runGateway,
} from "@fngate/plugin-kit/testing";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { openfunction } from "./index.ts";
import { openfunctionSchema } from "./schema.ts";

const FUNCTION_URI = "http://LOCALHOST:3233/default/function-sample?k=1";

describePlugin(openfunction, {
  folder: import.meta.dirname,
  config: { function_uri: "//fn.example/path", authorization: { service_token: "user:very-secret-password" } },
});

/** A configured plugin and what its ports saw. */
function setUp(config: Readonly<Record<string, unknown>>) {
  const connections = fakeConnections();
  const logger = recordingLogger();
  const filled = openfunctionSchema.parse({ function_uri: FUNCTION_URI, ...config });
  const instance = openfunction.setup(
    filled,
    fakeDeps({ connections, logger: logger.child({ plugin: "openfunction" }) }),
  );
  const access = (request: FakeRequestOptions): PhaseResult => {
    const result = instance.access?.(fakeRequestContext(request));
    if (isPending(result)) throw new Error("the access phase did not answer synchronously");
    return result;
  };
  return { access, connections, instance, logger };
}

function call(config: Readonly<Record<string, unknown>>, request: FakeRequestOptions): FunctionCall {
  const result = setUp(config).access(request);
  if (result?.kind !== "call") throw new Error("the plugin made no call");
  return result;
}

describe("openfunction schema", () => {
  it("fills the defaults in", () => {
    expect(openfunctionSchema.parse({ function_uri: "" })).toEqual({
      function_uri: "",
      ssl_verify: true,
      timeout: 3000,
      keepalive: true,
      keepalive_timeout: 60_000,
      keepalive_pool: 5,
      max_req_body_size: 67_108_864,
    });
  });

  it.each([
    { function_uri: "ftp://nowhere" },
    { function_uri: "host/path" },
    { function_uri: "http://h", unknown: { anything: 1 } },
    { function_uri: "http://h", timeout: 100 },
    { function_uri: "http://h", timeout: 99_999_999_999 },
    { function_uri: "http://h", keepalive_timeout: 1000, keepalive_pool: 1, max_req_body_size: 1 },
    { function_uri: "http://h", authorization: {} },
    { function_uri: "http://h", authorization: { service_token: "no colon", other: 1 } },
  ])("takes %j and keeps what it does not know", (config) => {
    expect(openfunctionSchema.parse(config)).toMatchObject(config);
  });

  it.each([
    [{}, "function_uri"],
    [{ function_uri: 30_858 }, "function_uri"],
    [{ function_uri: "", timeout: 99 }, "timeout"],
    [{ function_uri: "", timeout: "3000" }, "timeout"],
    [{ function_uri: "", timeout: 100.5 }, "timeout"],
    [{ function_uri: "", keepalive_timeout: 999 }, "keepalive_timeout"],
    [{ function_uri: "", keepalive_pool: 0 }, "keepalive_pool"],
    [{ function_uri: "", max_req_body_size: 0 }, "max_req_body_size"],
    [{ function_uri: "", ssl_verify: "yes" }, "ssl_verify"],
    [{ function_uri: "", keepalive: 1 }, "keepalive"],
    [{ function_uri: "", authorization: 1 }, "authorization"],
    [{ function_uri: "", authorization: "x" }, "authorization"],
    [{ function_uri: "", authorization: { service_token: 12 } }, "authorization.service_token"],
  ])("refuses %j at %s", (config, path) => {
    const issues = openfunctionSchema.safeParse(config).error?.issues ?? [];
    expect(issues.map((issue) => issue.path.join("."))).toEqual([path]);
  });
});

describe("openfunction call", () => {
  it("carries method, path, query and headers of the exchange that the documentation walks through", () => {
    const made = call(
      { authorization: { service_token: "test:test" } },
      {
        method: "POST",
        query: "y=1+2&x",
        route: { remainder: "a/b/" },
        headers: ["Host", "Gw.Example:9080", "Authorization", "Bearer abc", "X-Forwarded-For", "9.9.9.9"],
        body: "hello",
        isBodyChunked: true,
      },
    );
    expect(made).toMatchObject({ method: "POST", target: "/default/function-sample/a/b/?y=1%202&x" });
    expect(made.headers.get("host")).toBe("localhost");
    expect(made.headers.getAll("authorization")).toEqual(["Basic dGVzdDp0ZXN0"]);
    expect(made.headers.get("x-forwarded-for")).toBe("9.9.9.9");
  });

  it("takes nothing but the base path when the route's uri has no remainder", () => {
    expect(call({}, { path: "/hello", route: { uri: "/hello" } }).target).toBe("/default/function-sample");
  });

  it("has no remainder when the request matched no route", () => {
    expect(call({}, { path: "/any", isUnmatched: true }).target).toBe("/default/function-sample");
  });

  it("leaves the client's Authorization alone without a token", () => {
    const headers = ["authorization", "user-token-xxx"];
    expect(call({}, { headers }).headers.getAll("authorization")).toEqual(["user-token-xxx"]);
    expect(call({ authorization: {} }, { headers }).headers.getAll("authorization")).toEqual(["user-token-xxx"]);
  });

  it("encodes the token as it is, beyond ASCII as UTF-8", () => {
    const made = call({ authorization: { service_token: "ключ" } }, {});
    expect(made.headers.get("authorization")).toBe("Basic 0LrQu9GO0Yc=");
  });

  it("states the limits and statuses of the call", () => {
    expect(call({ max_req_body_size: 10 }, {})).toMatchObject({
      maxBodyBytes: 10,
      bodyTooLargeStatus: 400,
      failureStatus: 503,
    });
  });

  it("refuses a body that is declared too large at once, and takes one of exactly the limit", () => {
    const { access } = setUp({ max_req_body_size: 10 });
    expect(access({ method: "POST", body: "hello world" })).toEqual({ kind: "reply", status: 400 });
    expect(access({ method: "POST", body: "helloworld" })).toMatchObject({ kind: "call" });
    expect(access({ method: "POST", body: "hello world", isBodyChunked: true })).toMatchObject({ kind: "call" });
  });
});

describe("openfunction target", () => {
  it("maps timeouts and keepalive onto the connection pool", () => {
    const { connections } = setUp({ timeout: 1500, keepalive_timeout: 2000, keepalive_pool: 7 });
    expect(connections.acquired).toEqual([
      {
        scheme: "http",
        host: "localhost",
        port: 3233,
        keepalive: { idleConnections: 7, idleTimeoutMs: 2000 },
        timeouts: { connectMs: 1500, sendMs: 1500, readMs: 1500 },
      },
    ]);
  });

  it("keeps no connection without keepalive", () => {
    const { connections } = setUp({ keepalive: false });
    expect(connections.acquired[0]?.keepalive.idleConnections).toBe(0);
  });

  it("waits for a function under a timeout and keeps its connection for a time longer than any of Node's timers", async () => {
    // Such a timer would fire after a millisecond.
    await using fn = await startEchoUpstream({ reply: () => delay(50, { status: 200, body: "late" }) });
    const config = { function_uri: fn.origin, timeout: 9_999_999_999, keepalive_timeout: 9_999_999_999 };
    await using gateway = await runGateway({
      plugins: [openfunction as PluginDefinition],
      routes: { 1: { uri: "/late", plugins: { openfunction: config } } },
    });
    for (let count = 0; count < 2; count += 1) {
      expect(await gateway.send("/late")).toMatchObject({ status: 200, body: "late" });
    }
    expect(fn.connections).toBe(1);
  });

  it.each([true, false])("verifies certificates as ssl_verify (%s) says", (verify) => {
    const { connections } = setUp({ function_uri: "https://fn.example/", ssl_verify: verify });
    expect(connections.acquired[0]).toMatchObject({ scheme: "https", port: 443, tls: { verify } });
  });

  it("follows the client's scheme when function_uri has none", () => {
    const { access, connections, instance } = setUp({ function_uri: "//fn.example/" });
    expect(access({ scheme: "http" })).toMatchObject({ endpoint: { target: { scheme: "http", port: 80 } } });
    expect(access({ scheme: "https" })).toMatchObject({ endpoint: { target: { scheme: "https", port: 443 } } });
    instance.dispose?.();
    expect(connections.held).toBe(0);
  });
});

describe("openfunction with a function_uri that is no address", () => {
  it("answers 503 per request, without touching connections, and says why in the log once per configuration", () => {
    const { access, connections, logger } = setUp({ function_uri: "ftp://h/x" });
    expect(access({})).toEqual({ kind: "reply", status: 503 });
    expect(access({})).toEqual({ kind: "reply", status: 503 });
    expect(connections.acquired).toEqual([]);
    expect(logger.lines).toMatchObject([
      { level: "error", fields: { plugin: "openfunction", functionUri: "ftp://h/x" } },
    ]);
  });

  it("keeps user information out of the log", () => {
    const { access, logger } = setUp({ function_uri: "http://user:hidden@h/x" });
    expect(access({})).toEqual({ kind: "reply", status: 503 });
    expect(JSON.stringify(logger.lines)).not.toContain("hidden");
  });

  it("still refuses a body that is too large with 400", () => {
    const { access } = setUp({ function_uri: "", max_req_body_size: 1 });
    expect(access({ method: "POST", body: "xx" })).toEqual({ kind: "reply", status: 400 });
  });
});

import { describePlugin } from "@fngate/plugin-kit/testing";
import { type EchoReply, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { openwhisk } from "./index.ts";
import { openwhiskSchema } from "./schema.ts";

const minimal = {
  api_host: "http://127.0.0.1:3233",
  service_token: "user:secret",
  namespace: "guest",
  action: "greet",
};

describePlugin(openwhisk, {
  folder: import.meta.dirname,
  config: { ...minimal, api_host: "//whisk.example", service_token: "user:very-secret-token" },
});

const pattern = (name: string): string =>
  `failed to match pattern "\\A([\\w]|[\\w][\\w@ .-]*[\\w@.-]+)\\z" with "${name}"`;

describeSchema(openwhiskSchema, {
  defaults: [
    minimal,
    {
      ...minimal,
      result: true,
      ssl_verify: true,
      timeout: 3000,
      keepalive: true,
      keepalive_timeout: 60_000,
      keepalive_pool: 5,
      max_req_body_size: 67_108_864,
    },
  ],
  accepts: [
    { ...minimal, namespace: "_", package: "a package@1.0", action: "x".repeat(256), timeout: 60_000, other: 1 },
    { ...minimal, timeout: 1, result: false },
  ],
  refuses: [
    [{ service_token: "t", namespace: "n", action: "a" }, "api_host"],
    [{ ...minimal, api_host: 3233 }, "api_host"],
    [{ ...minimal, action: "" }, "action"],
    [{ ...minimal, action: "ends with a blank " }, "action"],
    [{ ...minimal, package: "a/b" }, "package"],
    [{ ...minimal, namespace: "x".repeat(257) }, "namespace"],
    [{ ...minimal, timeout: 60_001 }, "timeout"],
    [{ ...minimal, timeout: 0 }, "timeout"],
  ],
});

it("refuses a name in APISIX's words", () => {
  expect(openwhiskSchema.safeParse({ ...minimal, action: "-" }).error?.issues[0]?.message).toBe(pattern("-"));
});

describe("openwhisk", () => {
  /** What OpenWhisk sees of one request, and what the client gets when OpenWhisk answers so. */
  async function invoked(reply: EchoReply, config: object = {}, request: object = {}) {
    await using whisk = await startEchoUpstream({ reply });
    await using gateway = await gatewayWith(openwhisk, { ...minimal, api_host: whisk.origin, ...config });
    return { answer: await gateway.send("/any?x=1", request), seen: whisk.requests[0], port: whisk.port };
  }

  it("makes the same call whatever the client's method, path, query and fields, with its body", async () => {
    const { answer, port, seen } = await invoked(
      { body: { hello: "world" } },
      {},
      {
        method: "PUT",
        headers: { "x-own": "1", authorization: "Bearer own", "content-type": "text/plain" },
        body: '{"name":"world"}',
      },
    );
    expect(seen).toMatchObject({
      method: "POST",
      url: "/api/v1/namespaces/guest/actions/greet?blocking=true&result=true&timeout=3000",
    });
    expect(seen?.headers).toEqual({
      host: `127.0.0.1:${port}`,
      authorization: `Basic ${Buffer.from("user:secret").toString("base64")}`,
      "content-type": "application/json",
      "user-agent": "fngate",
      "content-length": "16",
    });
    expect(String(seen?.body)).toBe('{"name":"world"}');
    expect(answer).toMatchObject({ status: 200, body: '{"hello":"world"}' });
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
  });

  it("names package, limits and encoded blanks in the call, and a length where there is no body", async () => {
    const { seen } = await invoked({ body: {} }, { package: "my pkg", action: "a@1", result: false, timeout: 500 });
    expect(seen?.url).toBe("/api/v1/namespaces/guest/actions/my%20pkg/a@1?blocking=true&result=false&timeout=500");
    expect(seen?.headers["content-length"]).toBe("0");
  });

  it("answers with the status, the fields and the body that the action says", async () => {
    const body = { statusCode: 407, headers: { test: "header", "x-list": ["a", 1] }, body: { test: "body" } };
    expect((await invoked({ body })).answer).toMatchObject({
      status: 407,
      headers: { test: "header", "x-list": "a, 1" },
      body: '{"test":"body"}\n',
    });
    expect((await invoked({ body: { body: "plain text" } })).answer.body).toBe("plain text");
    expect((await invoked({ body: { body: [1] } })).answer.body).toBe("[1]\n");
  });

  it("takes what the action does not say from OpenWhisk, but for the fields of its answer", async () => {
    const { answer } = await invoked({ status: 404, headers: { "x-whisk": "1" }, body: { error: "no such action" } });
    expect(answer).toMatchObject({ status: 404, body: '{"error":"no such action"}' });
    expect(answer.headers).not.toHaveProperty("x-whisk");
  });

  it.each([[1], ["text"], [null], [[{ statusCode: 500 }]]])("passes the JSON %j on as it is", async (body) => {
    expect((await invoked({ body: JSON.stringify(body) })).answer).toMatchObject({
      status: 200,
      body: JSON.stringify(body),
    });
  });

  it.each([
    { statusCode: 99 },
    { statusCode: "OK" },
    { statusCode: 200.5 },
    { statusCode: 600 },
    { headers: 1, body: null },
  ])("passes over what is no status, no fields and no body in %j", async (body) => {
    expect((await invoked({ status: 202, body })).answer).toMatchObject({ status: 202, body: JSON.stringify(body) });
  });

  it("lets no field of the action frame the answer or break out of its line", async () => {
    const headers = {
      "Content-Length": "1",
      "Transfer-Encoding": "chunked",
      "bad name": "1",
      "X-Break": "a\r\nX-B: 1",
    };
    const { answer } = await invoked({ body: { headers, body: "whole" } });
    expect(answer.body).toBe("whole");
    expect(answer.headers).toMatchObject({ "content-length": "5", "x-break": "a%0D%0AX-B: 1" });
    expect(answer.headers).not.toHaveProperty("x-b");
  });

  it.each([
    ["no JSON", { body: "hello" }],
    ["empty", { body: "" }],
    ["broken off", { chunks: ["{"], reset: "after-chunks" as const }],
    ["late", { delayMs: 60_000 }],
  ])("answers 503 when OpenWhisk's answer is %s", async (_, reply) => {
    expect((await invoked(reply, { timeout: 200 })).answer.status).toBe(503);
  });

  it.each(["http://127.0.0.1:1", "no address", "http://user:pw@host"])(
    "answers 503 for the address %s",
    async (api_host) => {
      await using gateway = await gatewayWith(openwhisk, { ...minimal, api_host });
      expect((await gateway.get("/")).status).toBe(503);
      expect(JSON.stringify(gateway.lines)).not.toContain("pw");
    },
  );

  it.each([{}, { "transfer-encoding": "chunked" }])("answers 413 to a body over the limit (%j)", async (headers) => {
    const request = { method: "POST", headers, body: "0123456789a" };
    const { answer, seen } = await invoked({ body: {} }, { max_req_body_size: 10 }, request);
    expect([answer.status, seen]).toEqual([413, undefined]);
  });

  it("replaces the body of error answers where the configuration says so", async () => {
    const config = { _meta: { error_response: { message: "sorry" } } };
    expect((await invoked({ body: { statusCode: 500, body: "trace" } }, config)).answer).toMatchObject({
      status: 500,
      body: '{"message":"sorry"}\n',
    });
    expect((await invoked({ body: "no JSON" }, config)).answer.body).toBe('{"message":"sorry"}\n');
  });
});

import { describePlugin } from "@fngate/plugin-kit/testing";
import { type EchoResponder, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { forwardAuth } from "./index.ts";
import { forwardAuthSchema } from "./schema.ts";

const minimal = { uri: "http://127.0.0.1:8199" };

describePlugin(forwardAuth, { folder: import.meta.dirname, config: minimal });

describeSchema(forwardAuthSchema, {
  defaults: [
    minimal,
    {
      ...minimal,
      request_method: "GET",
      request_headers: [],
      upstream_headers: [],
      client_headers: [],
      max_req_body_size: 67_108_864,
      timeout: 3000,
      ssl_verify: true,
      allow_degradation: false,
      status_on_error: 403,
      keepalive: true,
      keepalive_timeout: 60_000,
      keepalive_pool: 5,
    },
  ],
  accepts: [{ ...minimal, request_method: "POST", extra_headers: { a: "$host" }, status_on_error: 200, other: 1 }],
  refuses: [
    [{}, "uri"],
    [{ uri: 3233 }, "uri"],
    [{ ...minimal, request_method: "PUT" }, "request_method"],
    [{ ...minimal, request_headers: "a" }, "request_headers"],
    [{ ...minimal, extra_headers: {} }, "extra_headers"],
    [{ ...minimal, extra_headers: { a: 1 } }, "extra_headers.a"],
    [{ ...minimal, timeout: 60_001 }, "timeout"],
    [{ ...minimal, status_on_error: 199 }, "status_on_error"],
    [{ ...minimal, max_req_body_size: 0 }, "max_req_body_size"],
  ],
});

type Sent = Parameters<Awaited<ReturnType<typeof gatewayWith>>["send"]>;

describe("forward-auth", () => {
  /** What a gateway makes of one request when the service answers so; and what the two behind it saw. */
  async function decided(reply: EchoResponder, config: object, ...request: Sent) {
    await using service = await startEchoUpstream({ reply });
    const uri = `http://127.0.0.1:${service.port}/check`;
    await using gateway = await gatewayWith(forwardAuth, { uri, ...config });
    const answer = await gateway.send(...request);
    return { answer, asked: service.requests[0], upstream: gateway.upstream.requests[0] };
  }

  it("tells the service about the request, whatever the client says about it", async () => {
    const config = {
      request_headers: ["Authorization", "x-forwarded-for", "X-Absent", "Content-Length"],
      extra_headers: { "X-Tenant": "t-$arg_tenant", "X-Forwarded-Host": "own" },
    };
    const headers = { authorization: "111", "x-forwarded-for": "6.6.6.6", "x-secret": "1", host: "Real.test:80" };
    const { answer, asked, upstream } = await decided({}, config, "/a%20b?tenant=7", { headers });
    expect(answer.status).toBe(200);
    expect(asked).toMatchObject({
      method: "GET",
      url: "/check",
      headers: {
        "x-forwarded-proto": "http",
        "x-forwarded-method": "GET",
        "x-forwarded-host": "own",
        "x-forwarded-uri": "/a b?tenant=7",
        "x-forwarded-for": "127.0.0.1",
        "x-tenant": "t-7",
        authorization: "111",
      },
    });
    for (const name of ["x-secret", "x-absent", "content-length"]) expect(asked?.headers).not.toHaveProperty(name);
    expect(upstream?.headers).toMatchObject({ authorization: "111", "x-secret": "1" });
  });

  it("sends the body along with POST, and on to the upstream", async () => {
    const headers = { "content-encoding": "x-own" };
    const request = { method: "PUT", headers, body: "the body" };
    const { asked, upstream } = await decided({}, { request_method: "POST" }, "/", request);
    expect(asked).toMatchObject({ method: "POST", headers: { "content-length": "8", "content-encoding": "x-own" } });
    expect([String(asked?.body), String(upstream?.body)]).toEqual(["the body", "the body"]);
    const chunked = { method: "POST", headers: { "transfer-encoding": "chunked" }, body: "chunked" };
    const second = await decided({}, { request_method: "POST" }, "/", chunked);
    expect(second.asked?.headers).toMatchObject({ "content-length": "7" });
    expect(second.asked?.headers).not.toHaveProperty("transfer-encoding");
  });

  it("reads the body ahead for fields that are made from it", async () => {
    const config = { extra_headers: { tenant: "$post_arg.tenant.id" } };
    const headers = { "content-type": "application/json" };
    const body = '{"tenant":{"id":123}}';
    const { asked, upstream } = await decided({}, config, "/", { method: "POST", headers, body });
    expect(asked?.headers["tenant"]).toBe("123");
    expect(String(upstream?.body)).toBe(body);
  });

  it("answers 413 to a larger body than it may read", async () => {
    const config = { request_method: "POST", max_req_body_size: 4 };
    const { answer, asked } = await decided({}, config, "/", { method: "POST", body: "12345" });
    expect([answer.status, asked]).toEqual([413, undefined]);
  });

  it("gives the request the answer's fields, and takes those away that it does not have", async () => {
    const reply = { headers: { "x-user": "jack", "x-other": "1", "content-length": "0" } };
    const config = { upstream_headers: ["X-User", "X-Role", "Content-Length"] };
    const request = { method: "POST", headers: { "x-user": "forged", "x-role": "admin" }, body: "abc" };
    const { upstream } = await decided(reply, config, "/", request);
    expect(upstream?.headers).toMatchObject({ "x-user": "jack" });
    for (const name of ["x-role", "x-other"]) expect(upstream?.headers).not.toHaveProperty(name);
    expect(String(upstream?.body)).toBe("abc");
  });

  it.each([300, 401, 503])("answers as the service does with status %i", async (status) => {
    const reply = {
      status,
      headers: { location: "http://login", "x-own": "1", "set-cookie": ["a=1", "b=2"] },
      body: "no",
    };
    const config = { client_headers: ["Location", "Set-Cookie", "X-Absent"] };
    const { answer, upstream } = await decided(reply, config, "/");
    expect(answer).toMatchObject({ status, body: "no", headers: { location: "http://login" } });
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.headers).not.toHaveProperty("x-own");
    expect(upstream).toBeUndefined();
  });

  it.each([
    { config: {}, status: 403 },
    { config: { status_on_error: 503 }, status: 503 },
    { config: { allow_degradation: true }, status: 200 },
  ])("answers $status while nobody can be asked under $config", async ({ config, status }) => {
    const whole = { uri: "http://127.0.0.1:1/", upstream_headers: ["X-User"], ...config };
    await using gateway = await gatewayWith(forwardAuth, whole);
    expect((await gateway.get("/", { "x-user": "forged" })).status).toBe(status);
    for (const { headers } of gateway.upstream.requests) expect(headers).not.toHaveProperty("x-user");
  });

  it("does not wait for a service longer than it should", async () => {
    const never = Promise.withResolvers<never>();
    const { answer } = await decided(() => never.promise, { timeout: 20 }, "/");
    expect(answer.status).toBe(403);
  });

  it("lets no line break into a call", async () => {
    const config = { extra_headers: { "X-User": "$arg_user" } };
    const { answer, asked } = await decided({}, config, "/?user=guest%0d%0ax-admin:%201");
    expect([answer.status, asked]).toEqual([403, undefined]);
  });
});

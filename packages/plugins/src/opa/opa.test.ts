import { describePlugin } from "@fngate/plugin-kit/testing";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { opa } from "./index.ts";
import { opaSchema } from "./schema.ts";

const minimal = { host: "http://127.0.0.1:8181", policy: "example" };

describePlugin(opa, { folder: import.meta.dirname, config: minimal });

describeSchema(opaSchema, {
  defaults: [
    minimal,
    {
      ...minimal,
      ssl_verify: true,
      timeout: 3000,
      keepalive: true,
      keepalive_timeout: 60_000,
      keepalive_pool: 5,
      with_route: false,
      with_service: false,
      with_consumer: false,
    },
  ],
  accepts: [{ ...minimal, timeout: 1, send_headers_upstream: ["user"], with_route: true }],
  refuses: [
    [{ host: "http://h" }, "policy"],
    [{ policy: "p" }, "host"],
    [{ ...minimal, timeout: 60_001 }, "timeout"],
    [{ ...minimal, send_headers_upstream: [] }, "send_headers_upstream"],
    [{ ...minimal, keepalive_timeout: 999 }, "keepalive_timeout"],
  ],
});

describe("opa", () => {
  /** What a gateway makes of one request when the policy decides so; and what the two behind it saw. */
  async function decided(body: unknown, config: object = {}) {
    await using server = await startEchoUpstream({ reply: { headers: {}, body } });
    await using gateway = await gatewayWith(opa, { host: `http://127.0.0.1:${server.port}`, policy: "a/b", ...config });
    const answer = await gateway.get("/path?x=1&x=2", { "x-own": "1", user: "forged" });
    return { answer, asked: server.requests[0], upstream: gateway.upstream.requests[0] };
  }

  it("asks for a decision about the request, and lets allowed ones through", async () => {
    const { answer, asked, upstream } = await decided({ result: { allow: true } }, { with_route: true });
    expect(answer.status).toBe(200);
    expect(upstream?.headers["user"]).toBe("forged");
    expect(asked).toMatchObject({ method: "POST", url: "/v1/data/a/b" });
    expect(JSON.parse(String(asked?.body))).toMatchObject({
      input: {
        type: "http",
        request: { scheme: "http", method: "GET", path: "/path", headers: { "x-own": "1" }, query: { x: ["1", "2"] } },
        var: { remote_addr: "127.0.0.1" },
        route: { id: "1", uri: "/*" },
      },
    });
  });

  it("refuses as the policy says", async () => {
    const told = { allow: false, reason: "not you", status_code: 302, headers: { Location: "http://other", "X-N": 1 } };
    expect((await decided({ result: told })).answer).toMatchObject({
      status: 302,
      body: "not you",
      headers: { location: "http://other", "x-n": "1" },
    });
    expect((await decided({ result: { reason: { code: 1 } } })).answer).toMatchObject({
      status: 403,
      body: '{"code":1}',
    });
    expect((await decided({ result: { allow: "true" } })).answer.status).toBe(403);
  });

  it("passes the decision's fields on, and none of the client's in their place", async () => {
    const config = { send_headers_upstream: ["user", "x-own"] };
    const { upstream } = await decided({ result: { allow: true, headers: { user: "jack" } } }, config);
    expect(upstream?.headers["user"]).toBe("jack");
    expect(upstream?.headers).not.toHaveProperty("x-own");
  });

  it.each([["no JSON"], [{}], [{ result: 1 }]])("answers 503 when the decision is %j", async (body) => {
    const { answer, upstream } = await decided(body);
    expect(answer.status).toBe(503);
    expect(upstream).toBeUndefined();
  });

  it("refuses while the server cannot be asked", async () => {
    await using gateway = await gatewayWith(opa, { host: "http://127.0.0.1:1", policy: "p", timeout: 500 });
    expect((await gateway.get("/")).status).toBe(403);
  });
});

import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { Circuits } from "./circuit.ts";
import { apiBreaker } from "./index.ts";
import { apiBreakerSchema } from "./schema.ts";

describePlugin(apiBreaker, { folder: import.meta.dirname, config: { break_response_code: 502 } });

describeSchema(apiBreakerSchema, {
  defaults: [
    { break_response_code: 502 },
    {
      break_response_code: 502,
      max_breaker_sec: 300,
      unhealthy: { http_statuses: [500], failures: 3 },
      healthy: { http_statuses: [200], successes: 3 },
    },
  ],
  accepts: [
    { break_response_code: 200, break_response_body: "", break_response_headers: [{ key: "a", value: "$uri" }] },
    { break_response_code: 599, unhealthy: { http_statuses: [500, 599] }, healthy: { successes: 1 } },
  ],
  refuses: [
    [{}, "break_response_code"],
    [{ break_response_code: 199 }, "break_response_code"],
    [{ break_response_code: 502, max_breaker_sec: 2 }, "max_breaker_sec"],
    [{ break_response_code: 502, healthy: { http_statuses: [500] } }, "healthy.http_statuses.0"],
    [{ break_response_code: 502, healthy: { http_statuses: [206, 206] } }, "healthy.http_statuses"],
    [{ break_response_code: 502, unhealthy: { failures: 0 } }, "unhealthy.failures"],
    [{ break_response_code: 502, break_response_headers: [{ key: "a" }] }, "break_response_headers.0.value"],
  ],
});

describe("circuits", () => {
  const rule = { failures: 2, successes: 2, maxOpenSeconds: 5 };

  it("open after so many failures, longer each time, up to the limit", () => {
    const circuits = new Circuits();
    circuits.countFailure("a", rule, 100);
    expect(circuits.isOpen("a", rule, 100)).toBe(false);
    circuits.countFailure("a", rule, 100);
    expect([100, 102, 103].map((now) => circuits.isOpen("a", rule, now))).toEqual([true, true, false]);
    for (const now of [103, 103]) circuits.countFailure("a", rule, now);
    expect([107, 108].map((now) => circuits.isOpen("a", rule, now))).toEqual([true, false]);
    for (const now of [108, 108]) circuits.countFailure("a", rule, now);
    expect([113, 114].map((now) => circuits.isOpen("a", rule, now))).toEqual([true, false]);
  });

  it("forget failures after so many successes in a row", () => {
    const circuits = new Circuits();
    for (const now of [1, 1]) circuits.countFailure("a", rule, now);
    circuits.countSuccess("a", rule);
    circuits.countFailure("a", rule, 2);
    circuits.countSuccess("a", rule);
    expect(circuits.isOpen("a", rule, 2)).toBe(true);
    circuits.countSuccess("a", rule);
    expect(circuits.isOpen("a", rule, 2)).toBe(false);
  });
});

describe("api-breaker", () => {
  const config = {
    break_response_code: 599,
    break_response_body: "broken",
    break_response_headers: [{ key: "X-Path", value: "$uri" }],
    unhealthy: { http_statuses: [500], failures: 2 },
  };

  it("answers in place of an upstream that failed too often, per path", async () => {
    await using gateway = await gatewayWith(apiBreaker, config, { upstream: { status: 500 } });
    const statuses = [];
    for (const target of ["/a", "/a", "/a", "/b"]) statuses.push((await gateway.get(target)).status);
    expect(statuses).toEqual([500, 500, 599, 500]);
    expect(await gateway.get("/a")).toMatchObject({ body: "broken", headers: { "x-path": "/a" } });
    expect(gateway.upstream.requests).toHaveLength(3);
  });

  it("keeps the failures when another part of the route changes", async () => {
    await using gateway = await gatewayWith(apiBreaker, config, { upstream: { status: 500 } });
    for (const target of ["/a", "/a"]) await gateway.get(target);
    await gateway.put("routes/1", { id: "1", uri: "/*", desc: "changed", plugins: { "api-breaker": config } });
    expect((await gateway.get("/a")).status).toBe(599);
  });
});

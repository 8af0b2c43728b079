import { describePlugin } from "@fngate/plugin-kit/testing";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { loggerDefaults } from "../testing/logger-defaults.ts";
import { lokiLogger } from "./index.ts";
import { lokiLoggerSchema } from "./schema.ts";

describePlugin(lokiLogger, {
  folder: import.meta.dirname,
  config: { endpoint_addrs: ["http://127.0.0.1:1"], headers: { Authorization: "Basic b25seSBoZXJl" } },
});

describeSchema(lokiLoggerSchema, {
  defaults: [
    { endpoint_addrs: ["http://h"] },
    {
      endpoint_addrs: ["http://h"],
      endpoint_uri: "/loki/api/v1/push",
      tenant_id: "fake",
      log_labels: { job: "apisix" },
      ssl_verify: false,
      timeout: 3000,
      keepalive: true,
      keepalive_timeout: 60000,
      keepalive_pool: 5,
      ...loggerDefaults("loki logger"),
    },
  ],
  accepts: [
    { endpoint_addrs: ["http://h", "https://[::1]:3100"], log_labels: { a: "$host" }, headers: { "X-A": "b" } },
  ],
  refuses: [
    [{}, "endpoint_addrs"],
    [{ endpoint_addrs: [] }, "endpoint_addrs"],
    [{ endpoint_addrs: ["h"] }, "endpoint_addrs.0"],
    [{ endpoint_addrs: ["http://h"], timeout: 60_001 }, "timeout"],
    [{ endpoint_addrs: ["http://h"], log_labels: { a: "" } }, "log_labels.a"],
    [{ endpoint_addrs: ["http://h"], headers: { a: 1 } }, "headers.a"],
  ],
});

interface Push {
  readonly streams: readonly { readonly stream: object; readonly values: readonly (readonly [string, string])[] }[];
}

describe("loki-logger", () => {
  it("pushes a stream for each set of labels", async () => {
    await using loki = await startEchoUpstream({ reply: { status: 204, body: "" } });
    await using gateway = await gatewayWith(lokiLogger, {
      endpoint_addrs: [loki.origin],
      tenant_id: "tenant_1",
      headers: { Authorization: "Basic 123", "x-scope-orgid": "other" },
      log_labels: { job: "fixed", kind: "$arg_kind", none: "$arg_none" },
      log_format: { n: "$arg_n" },
      batch_max_size: 3,
    });
    const beforeMs = Date.now();
    for (const query of ["kind=a&n=1", "kind=b&n=2", "kind=a&n=3"]) await gateway.get(`/?${query}`);
    const sent = await loki.request();
    expect(sent).toMatchObject({ method: "POST", url: "/loki/api/v1/push" });
    expect(sent.headers).toMatchObject({
      authorization: "Basic 123",
      "x-scope-orgid": "tenant_1",
      "content-type": "application/json",
    });
    const { streams } = JSON.parse(sent.body.toString()) as Push;
    const line = (n: number) => [expect.stringMatching(/^\d{19}$/), `{"n":"${n}","route_id":"1"}`];
    expect(streams).toEqual([
      { stream: { job: "fixed", kind: "a", none: "$arg_none" }, values: [line(1), line(3)] },
      { stream: { job: "fixed", kind: "b", none: "$arg_none" }, values: [line(2)] },
    ]);
    expect(BigInt(streams[0]?.values[0]?.[0] ?? 0) / 1_000_000n).toBeGreaterThanOrEqual(BigInt(beforeMs));
  });

  it("takes an answer of 300 and more for a failure", async () => {
    await using loki = await startEchoUpstream({ reply: { status: 302, body: "elsewhere" } });
    await using gateway = await gatewayWith(lokiLogger, { endpoint_addrs: [loki.origin], batch_max_size: 1 });
    await gateway.get("/");
    await eventually(() => {
      const line = gateway.lines.find(({ message }) => message === "entries are dropped");
      expect(line?.fields["cause"]).toBe("loki answered 302: elsewhere");
    });
  });
});

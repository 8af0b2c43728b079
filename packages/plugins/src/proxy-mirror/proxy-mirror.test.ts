import { describePlugin, fakeDeps, fakeHttp, fakeMetrics, fakeRequestContext } from "@fngate/plugin-kit/testing";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { parseDurationMs } from "./duration.ts";
import { proxyMirror } from "./index.ts";
import { proxyMirrorSchema } from "./schema.ts";

describePlugin(proxyMirror, { folder: import.meta.dirname, config: { host: "http://127.0.0.1:1981" } });

describeSchema(proxyMirrorSchema, {
  defaults: [{ host: "http://h" }, { host: "http://h", path_concat_mode: "replace", sample_ratio: 1 }],
  accepts: [
    { host: "https://h.example:8443", path: "/a", path_concat_mode: "prefix", sample_ratio: 0.00001 },
    { host: "grpcs://[::1]:50051" },
  ],
  refuses: [
    [{}, "host"],
    [{ host: "http://h/" }, "host"],
    [{ host: "127.0.0.1:1" }, "host"],
    [{ host: "http://h", path: "a" }, "path"],
    [{ host: "http://h", path: "/a?b" }, "path"],
    [{ host: "http://h", sample_ratio: 0 }, "sample_ratio"],
    [{ host: "http://h", sample_ratio: 1.1 }, "sample_ratio"],
  ],
});

describe("parseDurationMs", () => {
  it.each([
    ["60s", 60_000],
    ["500ms", 500],
    [2, 2_000],
    ["1m", 60_000],
    ["soon", undefined],
    [undefined, undefined],
  ])("reads %j as %j", (text, ms) => expect(parseDurationMs(text)).toBe(ms));
});

describe("proxy-mirror", () => {
  /** What a mirror got of one request that was sent through a gateway. */
  async function mirrored(config: object, target: string, request: { method?: string; body?: string } = {}) {
    await using mirror = await startEchoUpstream();
    await using gateway = await gatewayWith(proxyMirror, { host: `http://127.0.0.1:${mirror.port}`, ...config });
    expect(
      (await gateway.send(target, { headers: { "x-own": "1", connection: "x-drop", "x-drop": "1" }, ...request }))
        .status,
    ).toBe(200);
    await eventually(() => expect(mirror.requests).toHaveLength(1));
    const [seen] = mirror.requests;
    if (seen === undefined) throw new Error("nothing was mirrored");
    return { ...seen, gatewayPort: gateway.portOf() };
  }

  it("copies method, path, query, fields and host of a request", async () => {
    const seen = await mirrored({}, "/a%20b?c=d", { method: "DELETE" });
    expect(seen).toMatchObject({ method: "DELETE", url: "/a%20b?c=d", headers: { "x-own": "1" } });
    expect(seen.headers.host).toBe(`127.0.0.1:${seen.gatewayPort}`);
    expect(seen.headers).not.toHaveProperty("x-drop");
  });

  it("copies a body once it has passed", async () => {
    expect((await mirrored({}, "/", { method: "POST", body: "a body" })).body.toString()).toBe("a body");
  });

  it.each([
    [{ path: "/m" }, "/m?c=d"],
    [{ path: "/m", path_concat_mode: "prefix" }, "/m/a?c=d"],
  ])("with %j asks for %s", async (config, url) => {
    expect((await mirrored(config, "/a?c=d")).url).toBe(url);
  });

  it("answers the client although the mirror is not there", async () => {
    await using gateway = await gatewayWith(proxyMirror, { host: "http://127.0.0.1:1" });
    expect((await gateway.get("/")).status).toBe(200);
  });

  it("copies a share of the requests, once each", () => {
    const run = (value: number) => {
      const http = fakeHttp();
      const config = proxyMirrorSchema.parse({ host: "http://h", sample_ratio: 0.5 });
      const instance = proxyMirror.setup(config, fakeDeps({ http, random: () => value }));
      const context = fakeRequestContext();
      void instance.access?.(context);
      void instance.beforeProxy?.(context);
      void instance.beforeProxy?.(context);
      return http.calls.length;
    };
    expect([run(0.49), run(0.5)]).toEqual([1, 0]);
  });

  it("drops and counts copies when too many are under way", () => {
    const metrics = fakeMetrics();
    const http = fakeHttp(() => new Promise(() => {}));
    const instance = proxyMirror.setup(proxyMirrorSchema.parse({ host: "http://h" }), fakeDeps({ http, metrics }));
    for (let count = 0; count < 1_001; count += 1) {
      const context = fakeRequestContext();
      void instance.access?.(context);
      void instance.beforeProxy?.(context);
    }
    expect(http.calls).toHaveLength(1_000);
    expect(metrics.valueOf("fngate_mirrored_requests_total", { result: "dropped" })).toBe(1);
  });
});

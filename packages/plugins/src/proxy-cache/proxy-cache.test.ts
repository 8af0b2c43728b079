import { runGateway } from "@fngate/data-plane/testing";
import { definePlugin, type PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin, fakeDeps } from "@fngate/plugin-kit/testing";
import { type EchoResponder, eventually, FakeClock, tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeSchema } from "../testing/describe-schema.ts";
import { proxyCache } from "./index.ts";
import { proxyCacheSchema } from "./schema.ts";

const MEMORY = { cache_strategy: "memory", cache_zone: "memory_cache" };

describePlugin(proxyCache, { folder: import.meta.dirname, config: MEMORY });

describeSchema(proxyCacheSchema, {
  defaults: [
    {},
    {
      cache_strategy: "disk",
      cache_zone: "disk_cache_one",
      cache_key: ["$host", "$request_uri"],
      cache_http_status: [200, 301, 404],
      cache_method: ["GET", "HEAD"],
      cache_ttl: 300,
      cache_control: false,
      hide_cache_headers: false,
      consumer_isolation: true,
      cache_set_cookie: false,
      max_resp_body_size: 67_108_864,
    },
  ],
  accepts: [
    { ...MEMORY, cache_key: ["a b", "$uri"], cache_bypass: ["$arg_b"], no_cache: ["one"], cache_method: ["POST"] },
  ],
  refuses: [
    [{ cache_strategy: "tape" }, "cache_strategy"],
    [{ cache_key: [] }, "cache_key"],
    [{ cache_key: ["$a-b"] }, "cache_key.0"],
    [{ cache_key: ["$uri", "$request_method"] }, "cache_key variable $request_method unsupported"],
    [{ cache_http_status: [100] }, "cache_http_status.0"],
    [{ cache_method: ["PUT"] }, "cache_method.0"],
    [{ cache_method: ["GET", "GET"] }, "cache_method"],
    [{ cache_ttl: 0 }, "cache_ttl"],
    [{ no_cache: ["$"] }, "no_cache.0"],
  ],
});

describe("zones", () => {
  it.each([
    [{ cache_zone: "other" }, "cache_zone other not found"],
    [{ cache_strategy: "memory" }, "invalid or empty cache_zone for cache_strategy: memory"],
    [{ cache_zone: "memory_cache" }, "invalid or empty cache_zone for cache_strategy: disk"],
  ])("have to be there and fit: %j", (config, text) => {
    expect(() => proxyCache.setup(proxyCacheSchema.parse(config), fakeDeps())).toThrow(text);
  });

  it("have sizes in nginx's notation", () => {
    const attributes = { zones: [{ name: "memory_cache", memory_size: "much" }] };
    expect(() => proxyCache.setup(proxyCacheSchema.parse(MEMORY), fakeDeps({ attributes }))).toThrow('"much"');
  });
});

/** Attaches the consumer that a request names, as an authentication plugin does. */
const attach = definePlugin({
  name: "attach",
  version: 0.1,
  priority: 50,
  schema: z.looseObject({}),
  setup: () => ({
    rewrite(context) {
      const name = context.request.headers.get("x-user");
      if (name === undefined) return;
      context.attachConsumer({ name, groupId: undefined, labels: {}, credentialId: undefined });
    },
  }),
});

/** A gateway with a cache whose upstream counts its answers. */
async function cached(config: object, reply: object = {}, options: object = {}) {
  let count = 0;
  const upstream: EchoResponder = (request) => {
    count += 1;
    return { body: request.method === "HEAD" ? "" : `answer ${count}`, headers: {}, ...reply };
  };
  const gateway = await runGateway({
    plugins: [proxyCache, attach].map((plugin) => plugin as PluginDefinition),
    routes: { 1: { uri: "/*", plugins: { "proxy-cache": { ...MEMORY, ...config }, attach: {} } } },
    upstream,
    options,
  });
  const ask = async (target = "/", request: { method?: string; headers?: Record<string, string> } = {}) => {
    const { body, headers, status } = await gateway.send(target, request);
    return { status, body, cache: headers["apisix-cache-status"], headers };
  };
  return { ask, gateway, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

/** Cache statuses of requests one after the other. */
async function statusesOf(
  { ask }: Awaited<ReturnType<typeof cached>>,
  requests: readonly Parameters<typeof ask>[],
): Promise<unknown[]> {
  const statuses = [];
  for (const request of requests) statuses.push((await ask(...request)).cache);
  return statuses;
}

describe("proxy-cache in memory", () => {
  it("answers from what it kept, with its age", async () => {
    await using cache = await cached({}, { headers: { "x-own": "1", etag: '"t"' } });
    expect(await cache.ask()).toMatchObject({ status: 200, body: "answer 1", cache: "MISS" });
    const hit = await cache.ask();
    expect(hit).toMatchObject({ status: 200, body: "answer 1", cache: "HIT" });
    expect(hit.headers).toMatchObject({ "x-own": "1", etag: '"t"', age: "0" });
    expect(await cache.ask("/other")).toMatchObject({ body: "answer 2", cache: "MISS" });
  });

  it("forgets answers that are purged", async () => {
    await using cache = await cached({});
    expect(await cache.ask("/", { method: "PURGE" })).toMatchObject({ status: 404 });
    await cache.ask();
    expect(await cache.ask("/", { method: "PURGE" })).toMatchObject({ status: 200 });
    expect(await cache.ask()).toMatchObject({ cache: "MISS" });
  });

  it.each([
    ["private", { headers: { "cache-control": "private" } }],
    ["not to be stored", { headers: { "cache-control": "max-age=60, no-store" } }],
    ["to be asked for", { headers: { "cache-control": "no-cache" } }],
    ["with a cookie", { headers: { "set-cookie": "a=b" } }],
    ["that vary by everything", { headers: { vary: "Accept, *" } }],
    ["of another status", { status: 500 }],
    ["that are too large", { body: "x".repeat(101) }],
    ["that break off", { headers: { "content-length": "100" }, chunks: ["part"], reset: "after-chunks" }],
  ])("does not keep answers %s", async (_, reply) => {
    await using cache = await cached({ max_resp_body_size: 100 }, reply);
    await cache.ask().catch(() => {});
    const second = await cache.ask().catch(() => ({ cache: "MISS" }));
    expect(second.cache).toBe("MISS");
  });

  it("keeps answers with cookies when told to", async () => {
    await using cache = await cached({ cache_set_cookie: true }, { headers: { "set-cookie": "a=b" } });
    expect(await statusesOf(cache, [[], []])).toEqual(["MISS", "HIT"]);
  });

  it("keeps answers apart that vary", async () => {
    await using cache = await cached({}, { headers: { vary: "Accept-Language" } });
    const inLanguage = (language: string) => ["/", { headers: { "accept-language": language } }] as const;
    const requests = [inLanguage("en"), inLanguage("de"), inLanguage("en"), inLanguage("de")];
    expect(
      await statusesOf(
        cache,
        requests.map((request) => [...request]),
      ),
    ).toEqual(["MISS", "MISS", "HIT", "HIT"]);
    expect(await cache.ask("/", { method: "PURGE" })).toMatchObject({ status: 200 });
    expect(await statusesOf(cache, [[...inLanguage("de")]])).toEqual(["MISS"]);
  });

  it("gives each consumer answers of its own, unless the key or the configuration says otherwise", async () => {
    const by = (user: string) => ["/", { headers: { "x-user": user } }] as [string, object];
    await using apart = await cached({});
    expect(await statusesOf(apart, [by("jack"), by("rose"), by("jack"), ["/"]])).toEqual([
      "MISS",
      "MISS",
      "HIT",
      "MISS",
    ]);
    await using together = await cached({ consumer_isolation: false });
    expect(await statusesOf(together, [by("jack"), by("rose")])).toEqual(["MISS", "HIT"]);
  });

  it("passes over requests of other methods and answers HEAD from what GET left", async () => {
    await using cache = await cached({});
    expect(await cache.ask("/", { method: "POST" })).toMatchObject({ cache: "MISS", body: "answer 1" });
    expect(await cache.ask("/", { method: "HEAD" })).toMatchObject({ cache: "MISS" });
    expect(await cache.ask()).toMatchObject({ cache: "MISS", body: "answer 3" });
    expect(await cache.ask("/", { method: "HEAD" })).toMatchObject({ cache: "HIT", body: "" });
  });

  it("asks the upstream, or keeps nothing, when the parts say so", async () => {
    await using cache = await cached({ cache_bypass: ["$arg_bypass"], no_cache: ["$arg_drop"], cache_key: ["$uri"] });
    const targets = [["/?drop=1"], ["/?drop=0"], ["/"], ["/?bypass=1"], ["/?bypass=0"]] as [string][];
    expect(await statusesOf(cache, targets)).toEqual(["MISS", "MISS", "HIT", "BYPASS", "HIT"]);
  });

  it("expires answers by the configuration, or by their own fields with cache_control", async () => {
    const clock = new FakeClock(Date.now());
    await using own = await cached({ cache_ttl: 10 }, { headers: { "cache-control": "max-age=1" } }, { clock });
    expect(await statusesOf(own, [[]])).toEqual(["MISS"]);
    await clock.advance(9_000);
    expect(await own.ask()).toMatchObject({ cache: "HIT", headers: { age: "9" } });
    await clock.advance(2_000);
    expect(await statusesOf(own, [[], []])).toEqual(["EXPIRED", "HIT"]);
    await using theirs = await cached(
      { cache_control: true },
      { headers: { "cache-control": "max-age=1" } },
      { clock },
    );
    expect(await statusesOf(theirs, [[], []])).toEqual(["MISS", "HIT"]);
    await clock.advance(2_000);
    expect(await statusesOf(theirs, [[]])).toEqual(["EXPIRED"]);
  });

  it("obeys what requests wish with cache_control", async () => {
    const clock = new FakeClock(Date.now());
    const wish = (text: string) => ["/", { headers: { "cache-control": text } }] as [string, object];
    await using cache = await cached(
      { cache_control: true },
      { headers: { "cache-control": "s-maxage=60" } },
      { clock },
    );
    expect(await cache.ask(...wish("only-if-cached"))).toMatchObject({ status: 504, cache: "MISS" });
    await cache.ask();
    await clock.advance(10_000);
    const wishes = ["max-age=60", "max-age=5", "min-fresh=55", "no-cache", "no-store"].map(wish);
    expect(await statusesOf(cache, wishes.slice(0, 1))).toEqual(["HIT"]);
    expect(await statusesOf(cache, wishes.slice(3))).toEqual(["BYPASS", "BYPASS"]);
    expect(await statusesOf(cache, wishes.slice(2, 3))).toEqual(["STALE"]);
  });

  it("hides cache headers when told to", async () => {
    await using cache = await cached({ hide_cache_headers: true }, { headers: { "cache-control": "max-age=9" } });
    for (const status of ["MISS", "HIT"]) {
      const answer = await cache.ask();
      expect(answer.cache).toBe(status);
      expect(answer.headers).not.toHaveProperty("cache-control");
    }
  });
});

describe("proxy-cache on disk", () => {
  const zone = (path: string) => ({
    pluginAttributes: {
      "proxy-cache": { cache_ttl: "1m", zones: [{ name: "d", disk_path: path, disk_size: "1m", memory_size: "1m" }] },
    },
  });
  const DISK = { cache_strategy: "disk", cache_zone: "d" };

  it("answers from what it kept, also after a restart", async () => {
    await using directory = await tempDirectory();
    const options = zone(directory.file("zone"));
    let kept = "";
    {
      await using cache = await cached(DISK, {}, options);
      expect(await cache.ask()).toMatchObject({ cache: "MISS", body: "answer 1" });
      // The file is written after the answer went out; until then the upstream is asked again.
      await eventually(async () => expect(await cache.ask()).toMatchObject({ cache: "HIT" }));
      kept = (await cache.ask()).body;
    }
    await using again = await cached(DISK, {}, options);
    expect(await again.ask()).toMatchObject({ cache: "HIT", body: kept });
    expect(await again.ask("/", { method: "PURGE" })).toMatchObject({ status: 200 });
    expect(await again.ask("/", { method: "PURGE" })).toMatchObject({ status: 404 });
    expect(await again.ask()).toMatchObject({ cache: "MISS" });
  });

  it("expires answers by their own fields, else by the zones' time, and passes over other methods", async () => {
    await using directory = await tempDirectory();
    const clock = new FakeClock(Date.now());
    const options = { ...zone(directory.file("zone")), clock };
    await using cache = await cached(DISK, {}, options);
    await cache.ask();
    await eventually(async () => expect((await cache.ask()).cache).toBe("HIT"));
    await clock.advance(61_000);
    expect((await cache.ask()).cache).toBe("EXPIRED");
    expect((await cache.ask("/", { method: "POST" })).cache).toBe("BYPASS");
  });
});

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

/** An answer of the Control API. */
interface ControlAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  /** The parsed body; `undefined` when it is no JSON. */
  readonly body: unknown;
}

const CHECKS = {
  active: {
    http_path: "/status",
    healthy: { interval: 1, successes: 1 },
    unhealthy: { interval: 1, http_failures: 1, tcp_failures: 2, timeouts: 3 },
  },
};

const NOT_FOUND = { error_msg: "404 Not Found" };

const NO_COUNTS = { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 };

describe.each(MODES)("the Control API (%s)", (mode) => {
  let gateway: Gateway;
  let upstream: EchoUpstream;
  let sick: Server;
  let node: string;
  let sickNode: string;

  beforeAll(async () => {
    upstream = await startEchoUpstream({ reply: { body: "well" } });
    sick = createServer((_request, response) => response.writeHead(500).end("sick"));
    await new Promise<void>((resolve) => sick.listen(0, "127.0.0.1", resolve));
    node = `127.0.0.1:${upstream.port}`;
    sickNode = `127.0.0.1:${(sick.address() as AddressInfo).port}`;
    gateway = await startGateway(mode);
    const { admin } = gateway;
    const checked = { nodes: { [node]: 1, [sickNode]: 1 }, checks: CHECKS };
    await admin.put("/upstreams/checked", checked);
    await admin.put("/upstreams/plain", { nodes: { [node]: 1, "up.test": 2 } });
    await admin.put("/services/s", { name: "of all", upstream: checked, plugins: { "key-auth": {} } });
    await admin.put("/plugin_metadata/file-logger", { log_format: { host: "$host" } });
    await gateway.route({
      used: { uri: "/used", upstream_id: "checked" },
      own: {
        uris: ["/own", "/own/*"],
        upstream: { ...checked, checks: { active: { ...CHECKS.active, type: "tcp" } } },
      },
      quiet: { uri: "/quiet", upstream_id: "plain", plugins: { "limit-count": { count: 9, time_window: 60 } } },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
    sick.closeAllConnections();
    await new Promise((resolve) => sick.close(resolve));
  });

  async function ask(path: string, options: RequestInit = {}): Promise<ControlAnswer> {
    const { host, port } = gateway.dataPlane.address("control");
    const answer = await fetch(`http://${host}:${port}${path}`, options);
    const text = await answer.text();
    const type = answer.headers.get("content-type");
    return { status: answer.status, type, text, body: type === "application/json" ? JSON.parse(text) : undefined };
  }

  const listed = async (path: string) => (await ask(path)).body as readonly Record<string, unknown>[];

  it("listens on loopback", () => {
    expect(gateway.dataPlane.address("control").host).toBe("127.0.0.1");
  });

  describe("/v1/schema", () => {
    it("has every kind of object and every plugin", async () => {
      const { body, status, text, type } = await ask("/v1/schema");
      expect({ status, type }).toEqual({ status: 200, type: "application/json" });
      expect(text.endsWith("}\n")).toBe(true);
      const document = body as Record<"main" | "plugins" | "stream_plugins", Record<string, Record<string, unknown>>>;
      expect(Object.keys(document)).toEqual(["main", "plugins", "stream_plugins"]);
      expect(Object.keys(document.main).sort()).toEqual([
        "consumer",
        "consumer_group",
        "global_rule",
        "graphql_cost_decoration",
        "plugin_config",
        "plugins",
        "proto",
        "route",
        "service",
        "ssl",
        "stream_route",
        "upstream",
        "upstream_hash_header_schema",
        "upstream_hash_vars_schema",
      ]);
      expect(document.main["route"]).toMatchObject({ type: "object", properties: { uri: { type: "string" } } });
      expect(document.plugins["key-auth"]).toMatchObject({
        version: 0.1,
        priority: 2500,
        type: "auth",
        schema: { type: "object" },
        consumer_schema: { type: "object", required: ["key"] },
      });
      expect(document.plugins["file-logger"]).toMatchObject({ metadata_schema: { type: "object" } });
      // Nothing is served below HTTP.
      expect(document.stream_plugins).toEqual({});
    });
  });

  describe("objects in use", () => {
    it("are listed and shown one by one, with defaults and nodes as a list", async () => {
      const route = (await ask("/v1/route/quiet")).body;
      expect(route).toMatchObject({
        key: "/apisix/routes/quiet",
        has_domain: false,
        value: {
          id: "quiet",
          uri: "/quiet",
          priority: 0,
          status: 1,
          upstream_id: "plain",
          plugins: { "limit-count": { count: 9, policy: "local", rejected_code: 503 } },
        },
      });
      expect(await listed("/v1/routes")).toContainEqual(route);
      const service = (await ask("/v1/service/s")).body;
      expect(service).toMatchObject({
        key: "/apisix/services/s",
        value: { name: "of all", upstream: { nodes: expect.arrayContaining([nodeOf(node, 1)]), type: "roundrobin" } },
      });
      expect(await listed("/v1/services")).toEqual([service]);
      const plain = (await ask("/v1/upstream/plain")).body;
      expect(plain).toMatchObject({
        key: "/apisix/upstreams/plain",
        has_domain: true,
        value: { id: "plain", pass_host: "pass", scheme: "http", hash_on: "vars" },
      });
      const { nodes } = (plain as { value: { nodes: unknown[] } }).value;
      expect(nodes).toEqual(expect.arrayContaining([nodeOf(node, 1), { host: "up.test", weight: 2 }]));
      expect((await listed("/v1/upstreams")).map(({ key }) => key)).toEqual([
        "/apisix/upstreams/checked",
        "/apisix/upstreams/plain",
      ]);
    });

    it("have the store's revisions, by which a change is seen to have arrived", async () => {
      const before = (await ask("/v1/route/quiet")).body as Record<string, number>;
      const written = await gateway.admin.put("/routes/quiet", { uri: "/quieter", upstream_id: "plain" });
      const revision = Number((written.body as { modifiedIndex?: number }).modifiedIndex);
      await eventually(async () =>
        expect((await ask("/v1/route/quiet")).body).toMatchObject({ value: { uri: "/quieter" } }),
      );
      const after = (await ask("/v1/route/quiet")).body as Record<string, number>;
      expect(after["createdIndex"]).toBe(before["createdIndex"]);
      expect(after["modifiedIndex"]).toBeGreaterThan(before["modifiedIndex"] ?? 0);
      expect(after["orig_modifiedIndex"]).toBe(after["modifiedIndex"]);
      if (Number.isFinite(revision)) expect(after["modifiedIndex"]).toBe(revision);
    });

    it.each(["route", "service", "upstream"])("that there are not are 404 by name: %s", async (kind) => {
      expect(await ask(`/v1/${kind}/none`)).toMatchObject({
        status: 404,
        type: "application/json",
        body: { error_msg: `${kind}[none] not found` },
      });
    });

    it("do not show what is stored encrypted", async () => {
      const plugins = {
        openfunction: { function_uri: "http://f.test", authorization: { service_token: "open:sesame" } },
      };
      await gateway.route({ secret: { uri: "/secret", plugins } });
      const { text } = await ask("/v1/route/secret");
      expect(text).toContain("f.test");
      expect(text).not.toContain("sesame");
      await gateway.admin.delete("/routes/secret");
      await gateway.settle();
    });
  });

  describe("/v1/plugin_metadata", () => {
    it("is listed and shown by plugin", async () => {
      const metadata = { id: "file-logger", log_format: { host: "$host" } };
      expect((await ask("/v1/plugin_metadatas")).body).toMatchObject([metadata]);
      expect((await ask("/v1/plugin_metadata/file-logger")).body).toMatchObject(metadata);
      expect(await ask("/v1/plugin_metadata/none")).toMatchObject({
        status: 404,
        body: { error_msg: "plugin metadata[none] not found" },
      });
    });
  });

  describe("/v1/healthcheck", () => {
    it("lists what has checks, without nodes before its first request", async () => {
      expect(await listed("/v1/healthcheck")).toEqual([
        { name: "/apisix/routes/own", type: "tcp", nodes: [] },
        { name: "/apisix/services/s", type: "http", nodes: [] },
        { name: "/apisix/upstreams/checked", type: "http", nodes: [] },
      ]);
    });

    it("shows nodes, their states and counters once there was a request, as JSON and as a page", async () => {
      await (await fetch(`${gateway.origin}/used`)).text();
      const [well, ill] = [node, sickNode].map((address) => ({ ip: "127.0.0.1", port: Number(address.split(":")[1]) }));
      const shown = await eventually(
        async () => {
          const { body } = await ask("/v1/healthcheck/upstreams/checked");
          expect(body).toMatchObject({
            name: "/apisix/upstreams/checked",
            type: "http",
            nodes: expect.arrayContaining([
              expect.objectContaining({ ...well, status: "healthy" }),
              expect.objectContaining({ ...ill, status: "unhealthy" }),
            ]),
          });
          return body as { nodes: readonly { status: string; hostname: string; counter: object }[] };
        },
        { deadlineMs: 15_000 },
      );
      expect(shown.nodes).toHaveLength(2);
      for (const { counter, hostname, status } of shown.nodes) {
        expect(hostname).toBe("127.0.0.1");
        expect(counter).toEqual({ ...NO_COUNTS, ...(status === "unhealthy" && { http_failure: 1 }) });
      }
      expect(await listed("/v1/healthcheck")).toContainEqual(
        expect.objectContaining({ name: "/apisix/upstreams/checked", nodes: shown.nodes }),
      );
      const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
      for (const path of ["/v1/healthcheck", "/v1/healthcheck/upstreams/checked"]) {
        const page = await ask(path, { headers });
        expect(page).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
        const rows = [...page.text.matchAll(/<tr.*?<\/tr>/gs)].map(([row]) => row.replace(/<[^>]+>/g, " "));
        expect(rows.some((row) => row.includes(sickNode) && row.includes(" unhealthy "))).toBe(true);
        expect(rows.some((row) => row.includes(node) && row.includes(" healthy "))).toBe(true);
      }
    });

    it.each([
      ["upstreams/none", 404, "upstreams[none] not found"],
      ["routes/none", 404, "routes[none] not found"],
      ["services/none", 404, "services[none] not found"],
      ["stream_routes/none", 404, "stream_routes[none] not found"],
      ["upstreams/plain", 404, "no checker for upstreams[plain]"],
      ["routes/used", 404, "no checker for routes[used]"],
      ["upstreams", 404, "missing src id for src type upstreams"],
      ["consumers/1", 400, "invalid src type consumers"],
    ])("says what is wrong with %s: %d %s", async (path, status, error_msg) => {
      expect(await ask(`/v1/healthcheck/${path}`)).toMatchObject({
        status,
        type: "application/json",
        body: { error_msg },
      });
    });
  });

  describe("the other endpoints", () => {
    it("are what can be done, and the plugins' own", async () => {
      expect(await ask("/v1/gc", { method: "POST" })).toMatchObject({ status: 200, text: "" });
      expect(await ask("/v1/plugins/reload", { method: "PUT" })).toMatchObject({ status: 200, text: "done" });
      const info = await ask("/v1/server_info");
      expect(info).toMatchObject({
        status: 200,
        body: { version: expect.stringMatching(/^3\./), hostname: expect.any(String) },
      });
      const { boot_time, etcd_version, id } = info.body as Record<string, unknown>;
      expect(Math.abs(Number(boot_time) - Date.now() / 1000)).toBeLessThan(3_600);
      expect(String(id)).not.toBe("");
      expect(etcd_version).toEqual(mode === "split" ? expect.stringMatching(/^3\./) : "unknown");
    });

    it.each([
      ["GET", "/v1/gc"],
      ["GET", "/v1/plugins/reload"],
      ["POST", "/v1/routes"],
      ["DELETE", "/v1/route/quiet"],
      ["GET", "/v1/discovery/consul/dump"],
      ["GET", "/v1/discovery/dns/dump"],
      ["GET", "/v1/nothing"],
      ["GET", "/"],
    ])("are all there is: %s %s is 404", async (method, path) => {
      expect(await ask(path, { method })).toMatchObject({ status: 404, body: NOT_FOUND });
    });
  });
});

function nodeOf(address: string, weight: number): object {
  const [host = "", port = ""] = address.split(":");
  return { host, port: Number(port), weight };
}

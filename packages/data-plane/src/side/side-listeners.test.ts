import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { eventually, FakeConfigStore, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { sendRequest, startPlane } from "../testing/running-plane.ts";

const local = { host: "127.0.0.1", port: 0 };
const nodes = (port: number) => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });

describe("metrics", () => {
  test("count requests under APISIX's names and labels", async () => {
    await using upstream = await startEchoUpstream({ reply: { body: "four" } });
    await using plane = await startPlane({ metrics: local });
    await plane.put("services/s", { upstream: nodes(upstream.port) });
    await plane.put("global_rules/all", { plugins: { prometheus: {} } });
    await plane.put("routes/r1", { uri: "/x/*", host: "*.example", service_id: "s" });
    await plane.put("routes/r2", { uri: "/down", plugins: { openfunction: { function_uri: "http://127.0.0.1:1" } } });
    await plane.send("/x/1", { headers: { host: "a.example" } });
    await plane.send("/x/2", { headers: { host: "a.example" } });
    await plane.send("/down");
    await plane.send("/nothing");
    await eventually(() => expect(plane.accessLog).toHaveLength(4));
    const answer = await sendRequest(plane.portOf("metrics"), "/apisix/prometheus/metrics");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toContain("text/plain");
    const common = 'consumer="",node="127.0.0.1",request_type="traditional_http",request_llm_model="",llm_model=""';
    expect(answer.body.split("\n")).toEqual(
      expect.arrayContaining([
        `apisix_http_status{code="200",route="r1",matched_uri="/x/*",matched_host="*.example",service="s",${common},response_source="upstream"} 2`,
        expect.stringContaining('apisix_http_status{code="503",route="r2",matched_uri="/down",matched_host="",'),
        expect.stringContaining('apisix_http_status{code="404",route="",matched_uri="",matched_host="",service=""'),
        `apisix_http_latency_count{type="request",route="r1",service="s",${common}} 2`,
        `apisix_http_latency_bucket{type="upstream",route="r1",service="s",${common},le="+Inf"} 2`,
        expect.stringContaining(`apisix_bandwidth{type="egress",route="r1",service="s",${common}} `),
        "apisix_http_requests_total 4",
        "apisix_etcd_reachable 1",
        'apisix_etcd_modify_indexes{key="services"} 2',
        'apisix_etcd_modify_indexes{key="prev_index"} 5',
        'apisix_etcd_modify_indexes{key="routes"} 5',
        expect.stringContaining('version="3.18.0"} 1'),
        'fngate_function_failures_total{reason="refused"} 1',
        "fngate_config_last_reload_success 1",
        "fngate_config_applied_revision 5",
        "fngate_config_diagnostics 0",
      ]),
    );
    expect(answer.body).toMatch(/^apisix_nginx_http_current_connections\{state="accepted"\} 4$/m);
  });

  test("of a deleted route go with it", async () => {
    await using plane = await startPlane({ metrics: local });
    await plane.put("routes/gone", { uri: "/x", plugins: { prometheus: {} } });
    await plane.send("/x");
    await eventually(() => expect(plane.accessLog).toHaveLength(1));
    await plane.remove("routes/gone");
    const answer = await sendRequest(plane.portOf("metrics"), "/apisix/prometheus/metrics");
    expect(answer.body).not.toContain('route="gone"');
  });

  test("are the only thing on their port", async () => {
    await using plane = await startPlane({ metrics: { ...local, uri: "/m" } });
    expect((await sendRequest(plane.portOf("metrics"), "/m")).status).toBe(200);
    expect((await sendRequest(plane.portOf("metrics"), "/apisix/prometheus/metrics")).status).toBe(404);
    expect((await sendRequest(plane.portOf("metrics"), "/m", { method: "POST" })).status).toBe(404);
  });
});

test("status tells alive from ready", async () => {
  await using store = new FakeConfigStore();
  store.disconnect();
  const starting = startPlane({ store, status: local, onListening: (name, _host, port) => ports.set(name, port) });
  const ports = new Map<string, number>();
  await eventually(() => expect(ports.has("status")).toBe(true));
  const ask = (path: string) => sendRequest(ports.get("status") ?? 0, path);
  expect(await ask("/status")).toMatchObject({
    status: 200,
    body: '{"status":"ok"}',
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
  expect(await ask("/status/")).toMatchObject({ status: 200 });
  expect(await ask("/other")).toMatchObject({ status: 404 });
  expect(await ask("/status/ready")).toMatchObject({
    status: 503,
    body: '{"status":"error","error":"worker id: 0 has not received configuration"}',
  });
  store.reconnect();
  await using plane = await starting;
  expect(plane.plane.isReady).toBe(true);
  expect(await ask("/status/ready")).toMatchObject({ status: 200, body: '{"status":"ok"}' });
});

describe("the admin path", () => {
  async function startAdmin() {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        seen.push(`${request.method} ${request.url} ${request.headers["x-api-key"]} ${body}`);
        response.writeHead(201, { Server: "APISIX/3.18.0", "X-Own": "1" }).end('{"key":"/apisix/routes/1"}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return { port, seen, [Symbol.asyncDispose]: async () => void server.close() };
  }

  test("is passed on as it is for allowed peers", async () => {
    await using admin = await startAdmin();
    const target = { host: "127.0.0.1", port: admin.port };
    await using plane = await startPlane({ proxyAdmin: { target, allowedAddresses: ["127.0.0.0/8"] } });
    const answer = await plane.send("/apisix/admin/routes/1?ttl=1", {
      method: "PUT",
      headers: { "X-API-KEY": "k" },
      body: "{}",
    });
    expect(answer).toMatchObject({ status: 201, body: '{"key":"/apisix/routes/1"}', headers: { "x-own": "1" } });
    expect(admin.seen).toEqual(["PUT /apisix/admin/routes/1?ttl=1 k {}"]);
    expect((await plane.send("/apisix/administrator")).status).toBe(404);
  });

  test("tells the client's address, whatever the client says it is", async () => {
    await using admin = await startEchoUpstream();
    const target = { host: "127.0.0.1", port: admin.port };
    await using plane = await startPlane({ proxyAdmin: { target, allowedAddresses: ["127.0.0.0/8"] } });
    await plane.send("/apisix/admin/routes", { headers: { "x-REAL-ip": "10.0.0.1" } });
    expect(admin.requests[0]?.headers["x-real-ip"]).toBe("127.0.0.1");
  });

  test("does not exist for others, whatever address they claim, nor without the option", async () => {
    await using admin = await startAdmin();
    const target = { host: "127.0.0.1", port: admin.port };
    await using guarded = await startPlane({ proxyAdmin: { target, allowedAddresses: ["10.0.0.1"] } });
    expect((await guarded.send("/apisix/admin/routes", { headers: { "X-Real-IP": "10.0.0.1" } })).status).toBe(404);
    await using off = await startPlane();
    expect((await off.send("/apisix/admin/routes")).status).toBe(404);
    expect(admin.seen).toEqual([]);
  });

  test("is 502 when the Admin API does not answer", async () => {
    await using plane = await startPlane({
      proxyAdmin: { target: { host: "127.0.0.1", port: 1 }, allowedAddresses: ["127.0.0.1"] },
    });
    expect(await plane.send("/apisix/admin/routes")).toMatchObject({
      status: 502,
      body: '{"error_msg":"502 Bad Gateway"}\n',
    });
  });
});

describe("the access log", () => {
  test("has APISIX's default line", async () => {
    await using upstream = await startEchoUpstream({ reply: { body: "four" } });
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: nodes(upstream.port) });
    await plane.send("/x?a=1", { headers: { Host: "h:1", Referer: "r", "User-Agent": 'a"b\\c' } });
    await eventually(() => expect(plane.accessLog).toHaveLength(1));
    const address = `127\\.0\\.0\\.1:${upstream.port}`;
    expect(plane.accessLog[0]).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1 - - \\[\\d\\d/\\w{3}/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}\\] h:1 "GET /x\\?a=1 HTTP/1\\.1" 200 4 ` +
          `\\d+\\.\\d{3} "r" "a\\\\x22b\\\\x5Cc" ${address} 200 \\d+\\.\\d{3} "http://h:1" "[0-9a-f]{32}"\\n$`,
      ),
    );
  });

  test("as JSON is one object per line, whatever clients send", async () => {
    await using plane = await startPlane({ accessLogFormat: "json" });
    await plane.send("/x", { headers: { "User-Agent": 'a"\tb' } });
    await eventually(() => expect(plane.accessLog).toHaveLength(1));
    expect(plane.accessLog[0]?.endsWith("}\n")).toBe(true);
    expect(JSON.parse(plane.accessLog[0] ?? "")).toMatchObject({
      status: 404,
      uri: "/x",
      user_agent: 'a"\tb',
      source: "gateway",
    });
  });
});

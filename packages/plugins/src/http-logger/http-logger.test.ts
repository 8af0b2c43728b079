import { sendRequest } from "@fngate/data-plane/testing";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { createCertificates, type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { loggerDefaults } from "../testing/logger-defaults.ts";
import { httpLogger } from "./index.ts";
import { httpLoggerSchema } from "./schema.ts";

describePlugin(httpLogger, {
  folder: import.meta.dirname,
  config: { uri: "http://127.0.0.1:1", auth_header: "Basic b25seSBoZXJl" },
});

describeSchema(httpLoggerSchema, {
  defaults: [
    { uri: "http://h" },
    { uri: "http://h", timeout: 3, concat_method: "json", ssl_verify: false, ...loggerDefaults("http logger") },
  ],
  accepts: [
    { uri: "https://[::1]:9/a?b", log_format: { a: { b: "$host" } }, other: 1 },
    { uri: "http://h", include_req_body_expr: [["arg_a", "==", "b"]], retry_delay: 0 },
  ],
  refuses: [
    [{}, "uri"],
    [{ uri: "127.0.0.1" }, "uri"],
    [{ uri: "http://h", log_format: "'$host'" }, "log_format"],
    [{ uri: "http://h", batch_max_size: 0 }, "batch_max_size"],
    [{ uri: "http://h", concat_method: "xml" }, "concat_method"],
    [
      { uri: "http://h", include_resp_body_expr: [["status", "<>", 1]] },
      "failed to validate the 'include_resp_body_expr' expression: invalid operator '<>'",
    ],
  ],
});

/** What a log server got, parsed. */
async function received(server: EchoUpstream, count = 1): Promise<unknown> {
  return JSON.parse((await server.request(count)).body.toString());
}

describe("http-logger", () => {
  it("waits for a log server for years when told to", async () => {
    await using server = await startEchoUpstream();
    const config = { uri: server.origin, timeout: 1_000_000_000, batch_max_size: 1, log_format: { n: "$arg_n" } };
    await using gateway = await gatewayWith(httpLogger, config);
    await gateway.get("/?n=1");
    expect(await received(server)).toMatchObject({ n: "1" });
  });

  it("posts an entry about each request", async () => {
    await using server = await startEchoUpstream();
    const config = { uri: `${server.origin}/log?a=b`, auth_header: "Basic 123", batch_max_size: 1 };
    await using gateway = await gatewayWith(httpLogger, { ...config, include_req_body: true, include_resp_body: true });
    gateway.upstream.replyWith({ body: "pong" });
    await gateway.send("/p?q=r", { method: "POST", body: "ping" });
    const sent = await server.request();
    expect(sent).toMatchObject({ method: "POST", url: "/log?a=b" });
    expect(sent.headers).toMatchObject({ authorization: "Basic 123", "content-type": "application/json" });
    expect(await received(server)).toMatchObject({
      request: { method: "POST", uri: "/p?q=r", querystring: { q: "r" }, body: "ping" },
      response: { status: 200, body: "pong" },
      server: { version: "3.18.0" },
      upstream: `127.0.0.1:${gateway.upstream.port}`,
      route_id: "1",
      client_ip: "127.0.0.1",
    });
  });

  it.each([
    ["json", "application/json", '[{"n":"1","route_id":"1"},{"n":"2","route_id":"1"}]'],
    ["new_line", "text/plain", '{"n":"1","route_id":"1"}\n{"n":"2","route_id":"1"}'],
  ])("sends batches as %s", async (concat_method, type, body) => {
    await using server = await startEchoUpstream();
    const config = { uri: server.origin, concat_method, batch_max_size: 2, log_format: { n: "$arg_n" } };
    await using gateway = await gatewayWith(httpLogger, config);
    await gateway.get("/?n=1");
    await gateway.get("/?n=2");
    const sent = await server.request();
    expect(sent.headers["content-type"]).toBe(type);
    expect(sent.body.toString()).toBe(body);
  });

  it("tries again what the server refuses", async () => {
    await using server = await startEchoUpstream({ reply: { status: 500 } });
    const config = { uri: server.origin, batch_max_size: 1, max_retry_count: 1, retry_delay: 0 };
    await using gateway = await gatewayWith(httpLogger, config);
    await gateway.get("/");
    expect(await received(server, 2)).toEqual(await received(server, 1));
    await eventually(() => expect(dropsOf(gateway.lines)).toMatchObject([{ reason: "failed", tries: 2 }]));
  });

  it("checks certificates on demand", async () => {
    await using server = await startEchoUpstream({ tls: (await createCertificates()).server });
    await using gateway = await gatewayWith(httpLogger, { uri: server.origin, batch_max_size: 1 });
    await gateway.get("/");
    await server.request();
    await gateway.put("routes/1", {
      uri: "/*",
      plugins: { "http-logger": { uri: server.origin, batch_max_size: 1, ssl_verify: true } },
    });
    await gateway.get("/");
    await eventually(() => expect(dropsOf(gateway.lines)).toHaveLength(1));
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["localhost", "localhost"],
    ["127.0.0.1", "127.0.0.1"],
  ])("knows the host %s of an upstream as it is configured, and its address", async (host, unresolved) => {
    await using server = await startEchoUpstream();
    const log_format = { host: "$upstream_unresolved_host", address: "$upstream_addr" };
    const plugins = { "http-logger": { uri: server.origin, batch_max_size: 1, log_format } };
    await using gateway = await gatewayWith(httpLogger, plugins["http-logger"]);
    const { port } = gateway.upstream;
    await gateway.put("routes/1", { uri: "/*", plugins, upstream: { nodes: { [`${host}:${port}`]: 1 } } });
    await gateway.get("/");
    expect(await received(server)).toMatchObject({ host: unresolved, address: `127.0.0.1:${port}` });
  });

  it("logs requests of a global rule that matched no route", async () => {
    await using server = await startEchoUpstream();
    const plugins = { "http-logger": { uri: server.origin, batch_max_size: 1, log_format: { uri: "$uri" } } };
    await using gateway = await gatewayWith(httpLogger, {}, { routes: {}, globalRules: { 1: { plugins } } });
    expect((await gateway.get("/none")).status).toBe(404);
    expect(await received(server)).toEqual({ uri: "/none", route_id: "no-matched" });
  });

  it("keeps what it gathered when its route changes, and sends it when the configuration or the gateway goes", async () => {
    await using server = await startEchoUpstream();
    const plugins = { "http-logger": { uri: server.origin, log_format: { n: "$arg_n" } } };
    await using gateway = await gatewayWith(httpLogger, plugins["http-logger"]);
    await gateway.get("/?n=1");
    await gateway.put("routes/1", { uri: "/*", name: "changed", plugins });
    await gateway.get("/?n=2");
    expect(server.requests).toEqual([]);
    await gateway.put("routes/1", { uri: "/*", plugins: { "http-logger": { uri: server.origin } } });
    expect(await received(server)).toMatchObject([{ n: "1" }, { n: "2" }]);
    await gateway.get("/");
    await gateway.plane.stop({ deadlineMs: 5_000 });
    expect(server.requests).toHaveLength(2);
  });

  it("is not held up for long at the end by a server that does not answer", async () => {
    await using server = await startEchoUpstream({ reply: { delayMs: 60_000 } });
    await using gateway = await gatewayWith(httpLogger, { uri: server.origin, timeout: 60 });
    await gateway.get("/");
    await gateway.plane.stop({ deadlineMs: 50 });
  });

  it("counts what it has gathered, under the metrics' own prefix", async () => {
    await using server = await startEchoUpstream();
    const options = { metrics: { host: "127.0.0.1", port: 0 }, requestMetrics: { prefix: "own_" } };
    await using gateway = await gatewayWith(httpLogger, { uri: server.origin }, { options });
    await gateway.get("/");
    const { body } = await sendRequest(gateway.portOf("metrics"), "/apisix/prometheus/metrics");
    expect(body).toContain('own_batch_process_entries{name="http logger",route_id="1",server_addr="127.0.0.1"} 1\n');
  });

  it.each([{ max_pending_entries: 1 }, { max_pending_bytes: 1 }])(
    "drops and counts what %j has no room for",
    async (bounds) => {
      await using server = await startEchoUpstream({ reply: { delayMs: 60_000 } });
      await using gateway = await gatewayWith(
        httpLogger,
        { uri: server.origin, batch_max_size: 1 },
        { pluginMetadata: { "http-logger": bounds } },
      );
      await gateway.get("/");
      await gateway.get("/");
      expect(dropsOf(gateway.lines)).toMatchObject([{ reason: "backlog", entries: 1 }]);
    },
  );
});

function dropsOf(lines: readonly { readonly message: string; readonly fields: object }[]): object[] {
  return lines.filter(({ message }) => message === "entries are dropped").map(({ fields }) => fields);
}

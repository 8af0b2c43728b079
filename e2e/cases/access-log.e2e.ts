import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createCertificates, type EchoUpstream, eventually, freePorts, startEchoUpstream } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FngateProcess, spawnFngate } from "../support/fngate-process.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../support/gateway.ts";

const run = promisify(execFile);
const SECONDS = String.raw`\d+\.\d{3}`;

let upstream: EchoUpstream;
let gateway: Gateway;

/** A gateway whose route `/x` goes to a node that is not there, then to one that is. */
async function start(http: Readonly<Record<string, unknown>>): Promise<string> {
  const options: GatewayOptions = { apisix: { ssl: { enable: true } }, nginx: { http } };
  gateway = await startGateway("embedded", options);
  const [dead = 0] = await freePorts(1);
  const nodes = [
    { host: "127.0.0.1", port: dead, weight: 1, priority: 1 },
    { host: "127.0.0.1", port: upstream.port, weight: 1 },
  ];
  const logger = {
    path: join(gateway.dataPlane.dataDirectory, "plugin.log"),
    log_format: { addr: "$upstream_addr", status: "$upstream_status", sent: "$bytes_sent", up: "$upstream_bytes_sent" },
  };
  await gateway.route({ x: { uri: "/x", upstream: { nodes }, plugins: { "file-logger": logger } } });
  return `127.0.0.1:${dead}, 127.0.0.1:${upstream.port}`;
}

/** The line about `/x` once it is in the file. */
function lineOf(file: string, sign: string): Promise<string> {
  return eventually(async () => {
    const text = await readFile(join(gateway.dataPlane.dataDirectory, file), "utf8");
    return text.split("\n").find((line) => line.includes(sign)) ?? expect.fail(text);
  });
}

/** Calls `/x` and tells how many bytes curl sent and received. */
async function curl(url: string, ...options: readonly string[]): Promise<readonly [sent: number, received: number]> {
  const counts = "\n%{size_request} %{size_header} %{size_download}";
  const { stdout } = await run("curl", ["-sS", "-w", counts, ...options, url], { timeout: 20_000 });
  const [sent = 0, head = 0, body = 0] = stdout.split("\n").at(-1)?.split(" ").map(Number) ?? [];
  return [sent, head + body];
}

describe("the access log of a gateway", () => {
  beforeEach(async () => {
    upstream = await startEchoUpstream({ reply: { body: "hello", headers: { "X-Up": "yes", "Content-Length": "5" } } });
  });
  afterEach(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  it("lists every attempt, and counts bytes as the client does, in the clear and under TLS", async () => {
    const addresses = await start({
      access_log_format:
        "$scheme $uri $request_length $bytes_sent [$upstream_addr] [$upstream_status] [$upstream_response_time] [$upstream_connect_time] [$upstream_header_time] [$upstream_response_length] $upstream_http_x_up $ssl_protocol $route_id",
    });
    const { server } = await createCertificates({ names: ["a.test"] });
    await gateway.admin.put("/ssls/a", { sni: "a.test", ...server });
    await gateway.settle();
    const { port } = gateway.dataPlane.address("https");
    const resolved = ["-k", "--http1.1", "--resolve", `a.test:${port}:127.0.0.1`];
    const attempts = String.raw`\[${addresses}\] \[502, 200\] \[${SECONDS}, ${SECONDS}\] \[-, ${SECONDS}\] \[-, ${SECONDS}\] \[0, 5\] yes`;
    for (const [scheme, url, protocol, options] of [
      ["http", `${gateway.origin}/x`, "-", []],
      ["https", `https://a.test:${port}/x`, "TLSv1.3", resolved],
    ] as const) {
      const [sent, received] = await curl(url, ...options);
      const line = await lineOf("logs/access.log", `${scheme} /x`);
      expect(line).toMatch(new RegExp(`^${scheme} /x ${sent} ${received} ${attempts} ${protocol} x$`));
    }
    const logged = JSON.parse(await lineOf("plugin.log", "addr"));
    expect(logged).toMatchObject({ addr: addresses, status: "502, 200", sent: expect.any(Number) });
    expect(logged["up"]).toMatch(/^0, [1-9]\d+$/);
  });

  it("has APISIX's line with every attempt", async () => {
    const addresses = await start({});
    await curl(`${gateway.origin}/x`);
    const line = await lineOf("logs/access.log", "GET /x ");
    expect(line).toMatch(
      new RegExp(`" ${addresses} 502, 200 ${SECONDS}, ${SECONDS} "${gateway.origin}" "[0-9a-f]{32}"$`),
    );
  });

  it("is a JSON object for each line where the format says so, whatever clients send", async () => {
    await start({
      access_log_format: '{"agent":"$http_user_agent","referer":"$http_referer","status":$status}',
      access_log_format_escape: "json",
    });
    await curl(`${gateway.origin}/x`, "-A", 'a"\\\té', "-e", "");
    expect(JSON.parse(await lineOf("logs/access.log", "a\\"))).toEqual({ agent: 'a"\\\té', referer: "", status: 200 });
  });

  it("starts with variables of nginx that have no value here, and names them", async () => {
    await start({ access_log_format: "$uri $tcpinfo_rtt $geoip_city $gzip_ratio $request_body $status" });
    await curl(`${gateway.origin}/x`);
    expect(await lineOf("logs/access.log", "/x")).toBe("/x - - - - 200");
    const warnings = gateway.dataPlane.lines.filter((line) => line["event"] === "access-log");
    expect(warnings).toMatchObject([
      { level: "warn", variables: ["$tcpinfo_rtt", "$geoip_city", "$gzip_ratio", "$request_body"] },
    ]);
  });
});

it("a variable that nobody knows keeps the gateway from starting, and is named", async () => {
  const config = {
    deployment: { role: "data_plane", role_data_plane: { config_provider: "embedded" } },
    apisix: { node_listen: [{ ip: "127.0.0.1", port: 0 }] },
    plugin_attr: { prometheus: { export_addr: { ip: "127.0.0.1", port: 0 } } },
    nginx_config: { http: { access_log_format: "$stauts" } },
  };
  await using running: FngateProcess = await spawnFngate(config);
  expect((await running.exited).code).toBe(1);
  await eventually(() => expect(running.noise.join("\n")).toContain("access_log_format: unknown variable $stauts"));
});

import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import {
  type Certificates,
  createCertificates,
  type EchoUpstream,
  eventually,
  freePorts,
  startEchoUpstream,
} from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN_KEY, AdminClient } from "../support/admin-client.ts";
import { type FngateProcess, startFngate } from "../support/fngate-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { tlsRequest } from "../support/tls-request.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };

/** Long enough for what is not meant to run into it, also on a busy machine; and what is waited for once per test. */
const LIMIT = "2s";

/** Rows of the specification: listeners, with APISIX's forms of every key. */
describe("listeners", () => {
  const stack = new AsyncDisposableStack();
  let gateway: FngateProcess;
  let upstream: EchoUpstream;
  let certificates: Certificates;
  let plain: readonly number[];
  let secure: readonly number[];

  const config = (apisix: Readonly<Record<string, unknown>>, http: Readonly<Record<string, unknown>> = {}) => ({
    deployment: {
      role: "traditional",
      role_traditional: { config_provider: "embedded" },
      admin: { admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }], admin_listen: LOOPBACK },
    },
    apisix: { control: LOOPBACK, ...apisix },
    plugin_attr: { prometheus: { export_addr: LOOPBACK } },
    nginx_config: { http },
  });

  beforeAll(async () => {
    certificates = await createCertificates({ names: ["a.test"] });
    upstream = stack.use(await startEchoUpstream({ reply: ({ url }) => ({ body: `got ${url}` }) }));
    [plain, secure] = [await freePorts(2), await freePorts(2)];
    const [first = 0, second = 0] = plain;
    const apisix = {
      // A number, and an address with its port; both on loopback.
      node_listen: [first, { ip: "127.0.0.1", port: second }],
      ssl: { listen: secure.map((port) => ({ ip: "127.0.0.1", port })) },
    };
    const limits = { client_header_timeout: LIMIT, client_body_timeout: LIMIT, keepalive_timeout: LIMIT };
    gateway = stack.use(await startFngate(config(apisix, limits), { environment: { FNGATE_TLS_LISTEN: "" } }));
    await configure(new AdminClient(gateway.address("admin").port));
    await eventually(async () => expect((await ask(first, "/any")).status).toBe(200));
  });
  afterAll(() => stack.disposeAsync());

  async function configure(admin: AdminClient): Promise<void> {
    await admin.put("/ssls/1", { sni: "a.test", ...certificates.server });
    const mocked = (response_example: string) => ({ mocking: { response_example, content_type: "text/plain" } });
    await admin.put("/routes/port", {
      uri: "/port",
      vars: [["server_port", "==", String(plain[1])]],
      plugins: mocked("the second port"),
    });
    await admin.put("/routes/scheme", {
      uri: "/scheme",
      vars: [["scheme", "==", "https"]],
      plugins: mocked("only by TLS"),
    });
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    await admin.put("/routes/any", { uri: "/any", upstream: { nodes } });
  }

  const ask = async (port: number, path: string): Promise<{ readonly status: number; readonly text: string }> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };

  const askTls = (port: number, path: string) => tlsRequest(port, { servername: "a.test", path });

  async function handshake(protocol?: string): Promise<TLSSocket> {
    const port = secure[0] ?? 0;
    const options = { host: "127.0.0.1", port, servername: "a.test", ca: certificates.ca };
    const socket = connectTls({ ...options, ...(protocol && { ALPNProtocols: [protocol] }) });
    await once(socket, "secureConnect");
    return socket;
  }

  it("are as many as the configuration names, plain and with TLS, and share one route table", async () => {
    const named = (listener: string): unknown[] =>
      gateway.lines
        .filter((line) => line["event"] === "listening" && line["listener"] === listener)
        .map((line) => line["port"]);
    expect(named("proxy")).toEqual(plain);
    expect(named("https")).toEqual(secure);
    for (const port of plain) expect(await ask(port, "/any")).toEqual({ status: 200, text: "got /any" });
    for (const port of secure) expect(await askTls(port, "/any")).toEqual({ status: 200, text: "got /any" });
  });

  it("tie a route to a port or to TLS by its `vars` only", async () => {
    const [first = 0, second = 0] = plain;
    expect((await ask(first, "/port")).status).toBe(404);
    expect((await ask(second, "/port")).text).toBe("the second port");
    expect((await ask(first, "/scheme")).status).toBe(404);
    for (const port of secure) expect((await askTls(port, "/scheme")).text).toBe("only by TLS");
    expect((await askTls(secure[0] ?? 0, "/port")).status).toBe(404);
  });

  it("of TLS and the Control API are left out on demand, and IPv6 is listened on", async () => {
    const apisix = { node_listen: [{ port: 0 }], enable_ipv6: true, ssl: { enable: false }, enable_control: false };
    await using other = await startFngate(config(apisix));
    const bound = other.lines.filter((line) => line["event"] === "listening");
    expect(bound.filter((line) => line["listener"] === "proxy").map((line) => line["host"])).toEqual([
      "127.0.0.1",
      "::1",
    ]);
    expect(bound.map((line) => line["listener"])).not.toContain("https");
    expect(bound.map((line) => line["listener"])).not.toContain("control");
    const six = bound.find((line) => line["host"] === "::1");
    expect((await fetch(`http://[::1]:${six?.["port"]}/`)).status).toBe(404);
  });

  it("of the traffic do not serve the Admin API, the Control API or metrics", async () => {
    for (const path of ["/apisix/admin/routes", "/v1/routes", "/apisix/prometheus/metrics", "/status"]) {
      expect((await ask(plain[0] ?? 0, path)).status).toBe(404);
      expect((await askTls(secure[0] ?? 0, path)).status).toBe(404);
    }
  });

  it("answer plain HTTP on a TLS port with 400, and say so", async () => {
    await using client = await rawClient(secure[0] ?? 0);
    client.send("GET /any HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const answer = await client.untilClosed();
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("The plain HTTP request was sent to HTTPS port");
  });

  it("answer a head that takes too long with 408, and cut a handshake that does", async () => {
    await using plainClient = await rawClient(plain[0] ?? 0);
    plainClient.send("GET /any HTTP/1.1\r\nHost:");
    await using silent = await rawClient(secure[0] ?? 0);
    const late = await handshake();
    late.write("GET /any HTTP/1.1\r\nHost:");
    expect(await text(late)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await plainClient.untilClosed()).toMatch(/^HTTP\/1\.1 408 /);
    expect(await silent.untilClosed()).toBe("");
  });

  it("answer a body that stops coming with 408", async () => {
    await using client = await rawClient(plain[0] ?? 0);
    client.send("POST /any HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf");
    expect(await client.untilClosed({ deadlineMs: 15_000 })).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("close connections that idle: HTTP/1.1 and HTTP/2, plain and with TLS", async () => {
    await using client = await rawClient(plain[0] ?? 0);
    client.send("GET /any HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const tls = await handshake();
    tls.write("GET /any HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const secured = await handshake("h2");
    const sessions = [
      connectHttp2(`http://127.0.0.1:${plain[0]}`),
      connectHttp2("https://a.test", { createConnection: () => secured }),
    ];
    const closed = sessions.map((session) => once(session, "close"));
    for (const session of sessions) {
      expect(await text(session.request({ ":path": "/any", ":authority": "a.test" }))).toBe("got /any");
    }
    expect(await client.untilClosed({ deadlineMs: 15_000 })).toContain("got /any");
    expect(await text(tls)).toContain("got /any");
    await Promise.all(closed);
  });
});

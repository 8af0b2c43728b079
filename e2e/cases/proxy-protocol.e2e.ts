import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Certificates, createCertificates, type EchoUpstream, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { rawClient, requestText } from "../support/raw-client.ts";
import { parseResponse } from "../support/raw-response.ts";
import { outcomeOf, type TlsCommands, tlsCommands } from "../support/tls-commands.ts";

const PORTS = { listen_http_port: 0, listen_https_port: 0 };

/** Variables that a route writes into fields of the upstream's request. */
const VARIABLES = [
  ...["remote_addr", "remote_port", "realip_remote_addr", "proxy_protocol_addr", "proxy_protocol_port"],
  ...["proxy_protocol_server_addr", "proxy_protocol_server_port", "server_port"],
] as const;

/** The twelve bytes that begin every header of version 2. */
const V2_START = "\r\n\r\n\0\r\nQUIT\n";

const V1 = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n";
const V2 = `${V2_START}\x21\x11\0\x0c${bytes(203, 0, 113, 8, 198, 51, 100, 1, 0x12, 0x68, 0x01, 0xbb)}`;
const V2_IPV6 = `${V2_START}\x21\x21\0\x24${ipv6(9)}${ipv6(1)}${bytes(0x12, 0x69, 0x01, 0xbb)}`;

function bytes(...values: readonly number[]): string {
  return String.fromCharCode(...values);
}

/** An address below 2001:db8::. */
function ipv6(last: number): string {
  return bytes(0x20, 0x01, 0x0d, 0xb8, ...Array.from({ length: 11 }, () => 0), last);
}

const SERVER = { proxy_protocol_server_addr: "198.51.100.1", proxy_protocol_server_port: "443" };

const named = (address: string, port: string, server: object = SERVER) => ({
  ...{ proxy_protocol_addr: address, proxy_protocol_port: port },
  ...server,
});

const SERVER_IPV6 = { ...SERVER, proxy_protocol_server_addr: "2001:db8::1" };

const NOBODY = named("", "", { proxy_protocol_server_addr: "", proxy_protocol_server_port: "" });

const HEADERS = [
  { header: "version 1", text: V1, tells: named("203.0.113.7", "4711") },
  {
    header: "version 1 with IPv6",
    text: "PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n",
    tells: named("2001:db8::7", "4711", SERVER_IPV6),
  },
  { header: "version 1 of somebody unknown", text: "PROXY UNKNOWN\r\n", tells: NOBODY },
  { header: "version 2", text: V2, tells: named("203.0.113.8", "4712") },
  { header: "version 2 with IPv6", text: V2_IPV6, tells: named("2001:db8::9", "4713", SERVER_IPV6) },
  { header: "version 2 of the balancer itself", text: `${V2_START}\x20\0\0\0`, tells: NOBODY },
] as const;

/** Rows of the specification: PROXY protocol. */
describe("PROXY protocol", () => {
  const stack = new AsyncDisposableStack();
  let gateway: Gateway;
  let upstream: EchoUpstream;
  let certificates: Certificates;
  let commands: TlsCommands;

  beforeAll(async () => {
    certificates = await createCertificates({ names: ["a.test"] });
    commands = stack.use(await tlsCommands(certificates));
    upstream = stack.use(await startEchoUpstream());
    gateway = stack.use(await start());
    await configure(gateway);
  });
  afterAll(() => stack.disposeAsync());

  const start = (http?: Readonly<Record<string, unknown>>): Promise<Gateway> =>
    startGateway("embedded", { apisix: { proxy_protocol: PORTS }, ...(http && { nginx: { http } }) });

  async function configure(one: Gateway): Promise<void> {
    await one.admin.put("/ssls/1", { sni: "a.test", ...certificates.server });
    const set = Object.fromEntries(VARIABLES.map((name) => [`x-${name.replaceAll("_", "-")}`, `$${name}`]));
    const tell = { "proxy-rewrite": { headers: { set } } };
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    await one.route({
      told: { uri: "/told", plugins: tell, upstream: { nodes } },
      believed: {
        uri: "/believed",
        plugins: { ...tell, "real-ip": { source: "proxy_protocol_addr", trusted_addresses: ["127.0.0.1"] } },
        upstream: { nodes },
      },
      near: { uri: "/where", remote_addrs: ["127.0.0.1"], plugins: { mocking: mocked("the balancer's") } },
      far: { uri: "/where", remote_addrs: ["203.0.113.0/24"], plugins: { mocking: mocked("the client's") } },
    });
  }

  const mocked = (response_example: string) => ({ response_example, content_type: "text/plain" });

  const portOf = (one: Gateway, listener: "proxied-http" | "proxied-https"): number =>
    one.dataPlane.address(listener).port;

  /** Everything that a plain connection answers to a header and a request. */
  async function ask(one: Gateway, header: string, target: string): Promise<string> {
    await using client = await rawClient(portOf(one, "proxied-http"));
    client.send(header + requestText({ target }));
    return parseResponse(await client.untilClosed(), "GET").body;
  }

  /** A TLS connection behind a header. */
  async function secure(one: Gateway, header: string, ...protocols: readonly string[]): Promise<TLSSocket> {
    const socket: Socket = connect(portOf(one, "proxied-https"), "127.0.0.1");
    socket.write(header, "latin1");
    const options = { socket, servername: "a.test", ca: certificates.ca, ALPNProtocols: [...protocols] };
    const tls = connectTls(options);
    await once(tls, "secureConnect");
    return tls;
  }

  /** The variables in an echoed request. */
  function told(body: string): Readonly<Record<string, unknown>> {
    const { headers } = JSON.parse(body);
    return Object.fromEntries(VARIABLES.map((name) => [name, headers[`x-${name.replaceAll("_", "-")}`] ?? ""]));
  }

  it.each(HEADERS)(
    "a header of $header fills variables, and the peer stays the client",
    async ({ text: header, tells }) => {
      const body = await ask(gateway, header, "/told");
      const port = String(portOf(gateway, "proxied-http"));
      expect(told(body)).toMatchObject({ ...tells, remote_addr: "127.0.0.1", server_port: port });
      expect(JSON.parse(body).headers).toMatchObject({ "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1" });
      expect(await ask(gateway, header, "/where")).toBe("the balancer's");
    },
  );

  it.each(HEADERS)("a header of $header may stand before TLS", async ({ text: header, tells }) => {
    const tls = await secure(gateway, header);
    tls.write(requestText({ target: "/told", fields: ["Host: a.test"] }));
    const body = parseResponse(await text(tls), "GET").body;
    const port = String(portOf(gateway, "proxied-https"));
    expect(told(body)).toMatchObject({ ...tells, remote_addr: "127.0.0.1", server_port: port });
    expect(JSON.parse(body).headers).toMatchObject({ "x-forwarded-proto": "https" });
  });

  it("HTTP/2 may follow, in the clear and with TLS", async () => {
    const plain = connect(portOf(gateway, "proxied-http"), "127.0.0.1");
    plain.write(V2, "latin1");
    const tls = await secure(gateway, V1, "h2");
    expect(tls.alpnProtocol).toBe("h2");
    for (const [socket, address] of [
      [plain, "203.0.113.8"],
      [tls, "203.0.113.7"],
    ] as const) {
      const session = connectHttp2("http://a.test", { createConnection: () => socket });
      const answer = await text(session.request({ ":path": "/told", ":scheme": socket === tls ? "https" : "http" }));
      expect(told(answer)).toMatchObject({ proxy_protocol_addr: address });
      session.close();
    }
  });

  it("curl speaks it, and is served for as many requests as it sends", async () => {
    const url = `http://127.0.0.1:${portOf(gateway, "proxied-http")}/where`;
    expect((await outcomeOf("curl", ["-sS", "--haproxy-protocol", url, url])).text).toBe(
      "the balancer'sthe balancer's",
    );
    const place = { host: "a.test", path: "/where" };
    const secured = await commands.curl(portOf(gateway, "proxied-https"), place, "--haproxy-protocol");
    expect(secured.text).toBe("the balancer's\n200 2");
  });

  it.each(["proxied-http", "proxied-https"] as const)(
    "a connection without the header is closed on %s",
    async (listener) => {
      for (const opening of [
        requestText({ target: "/where" }),
        "PROXY TCP4 nonsense\r\n",
        `${V2_START}\x31\x11\0\x0c`,
      ]) {
        await using client = await rawClient(portOf(gateway, listener));
        client.send(opening);
        expect(await client.untilClosed()).toBe("");
      }
      const { text: failure } = await commands.sClient(portOf(gateway, listener), "-servername", "a.test");
      expect(failure).toContain("no peer certificate available");
    },
  );

  it("other ports take the header for a broken request", async () => {
    await using client = await rawClient(gateway.port);
    client.send(V1 + requestText({ target: "/where" }));
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("the plugin real-ip takes the client from it", async () => {
    expect(told(await ask(gateway, V1, "/believed"))).toMatchObject({ remote_addr: "203.0.113.7" });
    expect(told(await ask(gateway, "PROXY UNKNOWN\r\n", "/believed"))).toMatchObject({ remote_addr: "127.0.0.1" });
  });

  it("`real_ip_header: proxy_protocol` makes its address the client's for routes, upstreams and logs", async () => {
    await using believing = await start({ real_ip_header: "proxy_protocol", real_ip_from: ["127.0.0.1"] });
    await configure(believing);
    const body = await ask(believing, V1, "/told");
    expect(told(body)).toMatchObject({
      remote_addr: "203.0.113.7",
      remote_port: "4711",
      realip_remote_addr: "127.0.0.1",
    });
    expect(JSON.parse(body).headers).toMatchObject({ "x-forwarded-for": "203.0.113.7", "x-real-ip": "203.0.113.7" });
    expect(await ask(believing, V2, "/where")).toBe("the client's");
    expect(await ask(believing, "PROXY UNKNOWN\r\n", "/where")).toBe("the balancer's");
    // No header of the request counts, and none of the protocol on a port without it.
    const spoofed = await fetch(`${believing.origin}/where`, { headers: { "x-real-ip": "203.0.113.7" } });
    expect(await spoofed.text()).toBe("the balancer's");
  });

  it("`real_ip_header: proxy_protocol` counts only of peers in `real_ip_from`", async () => {
    await using strict = await start({ real_ip_header: "proxy_protocol", real_ip_from: ["10.0.0.0/8"] });
    await configure(strict);
    expect(told(await ask(strict, V1, "/told"))).toMatchObject({
      remote_addr: "127.0.0.1",
      proxy_protocol_addr: "203.0.113.7",
    });
    expect(await ask(strict, V1, "/where")).toBe("the balancer's");
  });
});

import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { type Certificates, createCertificates, eventually, type KeyPair, startEchoUpstream } from "@fngate/test-kit";
import { beforeAll, describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import type { DataPlaneOptions, TrafficAddress } from "../options.ts";
import { type RunningPlane, startPlane } from "../testing/running-plane.ts";
import { handshake, talk } from "../testing/tls-client.ts";

let a: Certificates;
let b: Certificates;

beforeAll(async () => {
  [a, b] = await Promise.all([createCertificates({ names: ["a.test"] }), createCertificates({ names: ["b.test"] })]);
});

const LISTEN: readonly TrafficAddress[] = [{ host: "127.0.0.1", port: 0, isTls: true, isHttp2Enabled: true }];

/** A plane with a TLS port and a route for every path, whose upstream answers what it was asked. */
async function startTls(options: Omit<Partial<DataPlaneOptions>, "store"> = {}, listen = LISTEN) {
  const upstream = await startEchoUpstream({ reply: (request) => ({ body: JSON.stringify(request.headers) }) });
  const plane = await startPlane({ ...options, listen });
  await plane.put("routes/all", { uri: "/*", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
  const stack = new AsyncDisposableStack();
  stack.use(upstream);
  stack.use(plane);
  const port = plane.portOf("https");
  return {
    plane,
    port,
    ask: (host: string, tls: ConnectionOptions, path = "/") =>
      talk(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, tls),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const ssl = (sni: string, { cert, key }: KeyPair, more: object = {}) => ({ sni, cert, key, ...more });
const fingerprintOf = ({ cert }: KeyPair) => new X509Certificate(cert).fingerprint256;

const serve = (plane: RunningPlane, more: object = {}) => plane.put("ssls/1", ssl("a.test", a.server, more));

describe("choosing a certificate", () => {
  test("each name gets its own, and a changed one serves the next handshake while open connections live on", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    await gateway.plane.put("ssls/2", ssl("*.b.test", b.server));
    expect((await gateway.ask("a.test", { servername: "a.test" })).fingerprint).toBe(fingerprintOf(a.server));
    expect((await gateway.ask("x", { servername: "X.B.test" })).fingerprint).toBe(fingerprintOf(b.server));

    const open = await handshake(gateway.port, { servername: "a.test" });
    await gateway.plane.put("ssls/1", ssl("a.test", b.server));
    expect((await gateway.ask("a.test", { servername: "a.test" })).fingerprint).toBe(fingerprintOf(b.server));
    open.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    const [answer] = await once(open, "data");
    expect(String(answer)).toContain("HTTP/1.1 200");
    open.destroy();
  });

  test.each([
    { title: "a name that nobody has", tls: { servername: "c.test" } },
    { title: "no name", tls: {} },
  ])("a client that asks for $title is refused", async ({ tls }) => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    await expect(handshake(gateway.port, tls)).rejects.toThrow(/unrecognized name/);
  });

  test("of several certificates with the same kind of key the last one is shown", async () => {
    await using gateway = await startTls();
    await gateway.plane.put("ssls/1", ssl("a.test", b.server, { certs: [a.server.cert], keys: [a.server.key] }));
    const socket = await handshake(gateway.port, { servername: "a.test", ca: a.ca });
    expect(socket.getPeerCertificate().fingerprint256).toBe(fingerprintOf(a.server));
    socket.destroy();
  });

  test("a client that asks for no name gets the certificate of the fallback name", async () => {
    await using gateway = await startTls({ tls: { fallbackSni: "A.test" } });
    await serve(gateway.plane);
    expect((await gateway.ask("a.test", {})).fingerprint).toBe(fingerprintOf(a.server));
  });

  test("an object that is switched off, deleted, or a client's, serves nobody", async () => {
    await using gateway = await startTls();
    const tls = { servername: "a.test" };
    await serve(gateway.plane, { status: 0 });
    await expect(handshake(gateway.port, tls)).rejects.toThrow(/unrecognized name/);
    await gateway.plane.put("ssls/1", { ...a.server, type: "client" });
    await expect(handshake(gateway.port, tls)).rejects.toThrow(/unrecognized name/);
    await serve(gateway.plane);
    (await handshake(gateway.port, tls)).destroy();
    await gateway.plane.remove("ssls/1");
    await expect(handshake(gateway.port, tls)).rejects.toThrow(/unrecognized name/);
  });

  test("an object that becomes unusable keeps serving its last good certificate", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    await gateway.plane.put("ssls/1", { sni: "a.test", cert: a.server.cert, key: b.server.key });
    expect(gateway.plane.plane.diagnostics).toEqual([expect.objectContaining({ kind: "ssl", path: "key" })]);
    expect((await gateway.ask("a.test", { servername: "a.test" })).fingerprint).toBe(fingerprintOf(a.server));
  });
});

describe("versions and sessions", () => {
  test("an object's protocols are the only ones it speaks, also when there is a gap between them", async () => {
    await using gateway = await startTls({ tls: { ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA" } });
    await serve(gateway.plane, { ssl_protocols: ["TLSv1.1", "TLSv1.3"] });
    const versionOf = async (version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") => {
      const ciphers = "TLS_AES_128_GCM_SHA256:ALL:@SECLEVEL=0";
      const options = { servername: "a.test", minVersion: version, maxVersion: version, ciphers };
      const socket = await handshake(gateway.port, options);
      const spoken = socket.getProtocol();
      socket.destroy();
      return spoken;
    };
    expect(await versionOf("TLSv1.1")).toBe("TLSv1.1");
    expect(await versionOf("TLSv1.3")).toBe("TLSv1.3");
    await expect(versionOf("TLSv1.2")).rejects.toThrow(/unsupported protocol/);
  });

  test("without protocols of its own an object speaks the gateway's", async () => {
    await using gateway = await startTls({ tls: { protocols: ["TLSv1.2"] } });
    await serve(gateway.plane);
    const socket = await handshake(gateway.port, { servername: "a.test" });
    expect(socket.getProtocol()).toBe("TLSv1.2");
    socket.destroy();
  });

  test.each([
    { sessionTickets: undefined, resumed: false },
    { sessionTickets: true, resumed: true },
  ])("a session is resumed only with tickets ($sessionTickets), and never under another object", async (options) => {
    const { resumed, sessionTickets } = options;
    await using gateway = await startTls({ tls: sessionTickets === undefined ? {} : { sessionTickets } });
    await serve(gateway.plane);
    await gateway.plane.put("ssls/2", ssl("b.test", b.server));
    const tls = { servername: "a.test", maxVersion: "TLSv1.2" } as const;
    const { session } = await gateway.ask("a.test", tls);
    if (session === undefined) throw new Error("there is no session");
    expect((await gateway.ask("a.test", { ...tls, session })).isResumed).toBe(resumed);
    const other = await gateway.ask("b.test", { ...tls, servername: "b.test", session });
    expect(other.isResumed).toBe(false);
  });
});

describe("requests on TLS", () => {
  test("the upstream learns that they came by TLS, and variables tell about it", async () => {
    await using gateway = await startTls({
      accessLogTemplate: "$scheme $https $ssl_protocol $ssl_server_name $ssl_cipher",
    });
    await serve(gateway.plane);
    const { text } = await gateway.ask("a.test", { servername: "a.test" });
    expect(text).toContain('"x-forwarded-proto":"https"');
    expect(text).toContain(`"x-forwarded-port":"${gateway.port}"`);
    expect(gateway.plane.accessLog.join("")).toMatch(/^https on TLSv1.3 a.test TLS_AES_\S+\n$/);
  });

  test("a certificate is no reason to route: the Host field decides", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    await gateway.plane.put("routes/b", { uri: "/*", host: "b.test", upstream: { nodes: {} } });
    expect((await gateway.ask("b.test", { servername: "a.test" })).text).toContain("HTTP/1.1 503");
  });

  test("plain HTTP on a TLS port is answered with 400", async () => {
    await using gateway = await startTls();
    const socket = connectPlain(gateway.port, "127.0.0.1");
    socket.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let received = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      received += chunk;
    });
    await once(socket, "close");
    expect(received).toMatch(/^HTTP\/1.1 400 /);
    expect(received).toContain("The plain HTTP request was sent to HTTPS port");
  });

  test("a connection that says nothing, or stops in the middle of its hello, is cut after the header timeout", async () => {
    await using gateway = await startTls({ clientLimits: { headerTimeoutMs: 200 } });
    await serve(gateway.plane);
    for (const bytes of [Buffer.alloc(0), Buffer.from([22, 3, 1, 2, 0, 1, 0])]) {
      const socket = connectPlain(gateway.port, "127.0.0.1");
      socket.resume().write(bytes);
      await once(socket, "close");
    }
    const secure = await handshake(gateway.port, { servername: "a.test" });
    secure.write("GET / HTTP/1.1\r\nHost:");
    const [answer] = await once(secure, "data");
    expect(String(answer)).toContain("HTTP/1.1 408");
    secure.destroy();
  });

  test("a WebSocket passes through TLS", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    echo.on("connection", (socket) => socket.on("message", (data) => socket.send(`echo ${String(data)}`)));
    await once(echo, "listening");
    const address = echo.address();
    const nodes = { [`127.0.0.1:${typeof address === "string" ? 0 : address?.port}`]: 1 };
    await gateway.plane.put("routes/ws", { uri: "/ws", enable_websocket: true, upstream: { nodes } });
    const client: ClientOptions & ConnectionOptions = { servername: "a.test", rejectUnauthorized: false };
    const socket = new WebSocket(`wss://127.0.0.1:${gateway.port}/ws`, client);
    await once(socket, "open");
    socket.send("hello");
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("echo hello");
    socket.close();
    await once(socket, "close");
    echo.close();
  });

  test("stopping does not wait for connections that asked nothing, in whatever stage they are", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    const silent = connectPlain(gateway.port, "127.0.0.1");
    const secure = await handshake(gateway.port, { servername: "a.test" });
    const gone = Promise.all([once(silent, "close"), once(secure, "close")]);
    secure.on("error", () => {});
    await gateway.plane.stop(60_000);
    await gone;
  });
});

describe("client certificates", () => {
  const client = (more: object = {}) => ({ client: { ca: a.ca, ...more } });
  const known = () => ({ servername: "a.test", ...a.client });

  test("the handshake fails for a client without certificate, and for one of another authority", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane, client());
    expect((await gateway.ask("a.test", known())).text).toContain("HTTP/1.1 200");
    for (const identity of [{}, b.client]) {
      await expect(
        gateway.ask("a.test", { servername: "a.test", maxVersion: "TLSv1.2", ...identity }),
      ).rejects.toThrow();
      const outcome = gateway.ask("a.test", { servername: "a.test", ...identity }).then(
        ({ text }) => text,
        () => "",
      );
      expect(await outcome).toBe("");
    }
  });

  test("with paths that need none the handshake completes, and the path decides", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane, client({ skip_mtls_uri_regex: ["^/open/"] }));
    const statusOf = async (path: string, identity: ConnectionOptions) =>
      (await gateway.ask("a.test", { servername: "a.test", ...identity }, path)).text.slice(9, 12);
    expect(await statusOf("/open/x", {})).toBe("200");
    expect(await statusOf("/closed", {})).toBe("400");
    expect(await statusOf("/closed", b.client)).toBe("400");
    expect(await statusOf("/closed", a.client)).toBe("200");
    expect(await statusOf("/open/%2e%2e/closed", {})).toBe("400");
    const reasons = gateway.plane.lines.map(({ fields }) => fields["reason"]);
    expect(reasons).toContain("client certificate was not present");
    expect(reasons).toContainEqual(
      expect.stringMatching(/verification is not passed: FAILED:unable to verify the first certificate/),
    );
  });

  test("a certificate that was verified for one name counts for no other, and a name without one is free", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    await gateway.plane.put("ssls/2", ssl("b.test", b.server, client()));
    const statusOf = async (host: string, tls: ConnectionOptions) => (await gateway.ask(host, tls)).text.slice(9, 12);
    expect(await statusOf("b.test", { servername: "a.test" })).toBe("400");
    expect(await statusOf("B.test.:443", { servername: "a.test" })).toBe("400");
    expect(await statusOf("b.test", { servername: "b.test", ...a.client })).toBe("200");
    expect(await statusOf("a.test", { servername: "b.test", ...a.client })).toBe("200");
    expect(await statusOf("c.test", { servername: "a.test" })).toBe("200");
  });

  test("a connection from before an object asked for certificates is not served under it any more", async () => {
    await using gateway = await startTls();
    await serve(gateway.plane);
    const open = await handshake(gateway.port, { servername: "a.test" });
    await serve(gateway.plane, client());
    open.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    const [answer] = await once(open, "data");
    expect(String(answer)).toContain("HTTP/1.1 400");
    open.destroy();
  });

  test("a chain with more certificates in between than the depth allows is refused", async () => {
    const chained = await createCertificates({ intermediates: 1 });
    await using gateway = await startTls();
    const ask = (path = "/") => gateway.ask("a.test", { servername: "a.test", ...chained.client }, path);
    await serve(gateway.plane, { client: { ca: chained.ca } });
    expect((await ask()).text).toContain("HTTP/1.1 200");
    await serve(gateway.plane, { client: { ca: chained.ca, depth: 0 } });
    await expect(ask().then(({ text }) => text)).resolves.toBe("");
    await serve(gateway.plane, { client: { ca: chained.ca, depth: 0, skip_mtls_uri_regex: ["^/open"] } });
    expect((await ask()).text).toContain("HTTP/1.1 400");
    expect((await ask("/open")).text).toContain("HTTP/1.1 200");
    // The authority signed this client's certificate itself: nothing is in between.
    await serve(gateway.plane, client({ depth: 0 }));
    expect((await gateway.ask("a.test", known())).text).toContain("HTTP/1.1 200");
  });

  test("variables describe the client's certificate", async () => {
    const names = ["verify", "s_dn", "i_dn", "serial", "fingerprint"];
    const accessLogTemplate = names.map((name) => `$ssl_client_${name}`).join("|");
    await using gateway = await startTls({ accessLogTemplate });
    await serve(gateway.plane, client());
    await gateway.ask("a.test", known());
    const certificate = new X509Certificate(a.client.cert);
    const fingerprint = certificate.fingerprint.replaceAll(":", "").toLowerCase();
    const expected = ["SUCCESS", "O=fngate client", "O=fngate ca", certificate.serialNumber, fingerprint];
    await eventually(() => expect(gateway.plane.accessLog.join("")).toBe(`${expected.join("|")}\n`));
  });
});

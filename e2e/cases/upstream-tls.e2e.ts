import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type Certificates, createCertificates, eventually, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { startGreeter } from "../support/greeter.ts";
import { exchange } from "../support/raw-client.ts";
import { type RawResponse, valuesOf } from "../support/raw-response.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { TlsWitness, type Witnessed } from "../support/tls-witness.ts";

describe.each(MODES)("an upstream that speaks TLS (%s)", (mode) => {
  let gateway: Gateway;
  let directory: TempDirectory;
  let known: Certificates;
  let strange: Certificates;
  let ended: Certificates;
  /** Of an authority that the gateway knows, for `up.test`. */
  let trusted: TlsWitness;
  /** Of one that it knows, too, with a certificate that ended yesterday. */
  let expired: TlsWitness;
  /** Of one that it does not know. */
  let stranger: TlsWitness;
  /** Wants a certificate of the known authority. */
  let mutual: TlsWitness;
  /** Speaks no TLS. */
  let plain: Recorder;

  beforeAll(async () => {
    [known, strange, ended] = await Promise.all([
      createCertificates({ names: ["up.test", "localhost"] }),
      createCertificates({ names: ["up.test"] }),
      createCertificates({ names: ["up.test"], isServerExpired: true }),
    ]);
    directory = await tempDirectory();
    await writeFile(directory.file("ca.pem"), known.ca + ended.ca);
    trusted = await new TlsWitness(known.server).listen();
    expired = await new TlsWitness(ended.server).listen();
    stranger = await new TlsWitness(strange.server).listen();
    mutual = await new TlsWitness(known.server, known.ca).listen();
    plain = await startRecorder();
    gateway = await startGateway(mode, { apisix: { ssl: { ssl_trusted_certificate: directory.file("ca.pem") } } });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const server of [trusted, expired, stranger, mutual, plain]) await server[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  /** Puts an upstream of a server under `/x`, and asks it once. */
  async function through(
    server: { readonly port: number },
    upstream: object = {},
    host = "up.test",
  ): Promise<RawResponse> {
    const nodes = { [`127.0.0.1:${server.port}`]: 1 };
    await gateway.route({ x: { uri: "/x", upstream: { scheme: "https", nodes, ...upstream } } });
    return ask(host);
  }

  async function ask(host: string, target = "/x"): Promise<RawResponse> {
    return exchange(gateway.port, { target, fields: [`Host: ${host}`] });
  }

  function witnessed({ body, status }: RawResponse): Witnessed {
    if (status !== 200) throw new Error(`answered ${status}: ${body}`);
    return JSON.parse(body) as Witnessed;
  }

  function reason({ body, fields, status }: RawResponse): unknown {
    return { status, list: valuesOf({ fields }, "x-apisix-upstream-status").join(), reason: JSON.parse(body).reason };
  }

  const TLS_FAILURE = { status: 502, list: "502", reason: "tls" };

  it("is asked for HTTP/1.1 only", async () => {
    expect(witnessed(await through(trusted)).offered).toEqual(["http/1.1"]);
  });

  describe("by its certificate", () => {
    it("may be anybody, unless it is to be verified", async () => {
      expect((await through(stranger)).status).toBe(200);
      expect((await through(stranger, { tls: { verify: false } })).status).toBe(200);
    });

    it("is verified where that is asked for: authority and name", async () => {
      const tls = { verify: true };
      expect((await through(trusted, { tls })).status).toBe(200);
      expect(reason(await ask("other.test"))).toEqual(TLS_FAILURE);
      const { failures } = stranger;
      expect(reason(await through(stranger, { tls }))).toEqual(TLS_FAILURE);
      expect(stranger.failures).toBe(failures + 1);
    });

    it("may have ended, unless it is to be verified: then that is told, counted and logged", async () => {
      expect((await through(expired)).status).toBe(200);
      const before = await failures();
      expect(reason(await through(expired, { tls: { verify: true } }))).toEqual(TLS_FAILURE);
      expect(await failures()).toBe(before + 1);
      const cause = expect.stringContaining("certificate has expired");
      const line = { level: "error", msg: "upstream failed", route: "x", reason: "tls", cause };
      await eventually(() => expect(gateway.dataPlane.lines).toContainEqual(expect.objectContaining(line)));
    });

    /** Counted failures of TLS. */
    async function failures(): Promise<number> {
      const { port } = gateway.dataPlane.address("metrics");
      const text = await (await fetch(`http://127.0.0.1:${port}/apisix/prometheus/metrics`)).text();
      return Number(/^fngate_upstream_failures_total\{reason="tls"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    }

    it("is verified for the name that it is called by", async () => {
      const tls = { verify: true };
      const rewritten = { pass_host: "rewrite", upstream_host: "up.test:443" };
      expect((await through(trusted, { tls, ...rewritten }, "other.test")).status).toBe(200);
      const named = { pass_host: "node", nodes: { [`localhost:${trusted.port}`]: 1 } };
      expect((await through(trusted, { tls, ...named }, "other.test")).status).toBe(200);
    });
  });

  it.each([
    { what: "the client's Host without port", upstream: {}, host: "Up.Test:8443", name: "up.test" },
    { what: "none for a client that names an address", upstream: {}, host: "192.0.2.1:8443", name: "" },
    { what: "none for an address of IPv6", upstream: {}, host: "[2001:db8::1]:8443", name: "" },
    { what: "none for the node's address", upstream: { pass_host: "node" }, host: "client.test", name: "" },
    {
      what: "`upstream_host` without port",
      upstream: { pass_host: "rewrite", upstream_host: "fixed.test:99" },
      host: "client.test",
      name: "fixed.test",
    },
  ])("gets as server name $what", async ({ host, name, upstream }) => {
    expect(witnessed(await through(trusted, upstream, host)).serverName).toBe(name);
  });

  it("gets as server name the node's name, or what a plugin puts in place of the client's Host", async () => {
    const nodes = { [`localhost:${trusted.port}`]: 1 };
    const got = witnessed(await through(trusted, { nodes, pass_host: "node" }, "client.test"));
    expect(got).toMatchObject({ serverName: "localhost", host: `localhost:${trusted.port}` });
    const upstream = { scheme: "https", nodes };
    const plugins = { "proxy-rewrite": { host: "plugin.test:1" } };
    await gateway.route({ plugin: { uri: "/plugin", upstream, plugins } });
    const rewritten = witnessed(await ask("client.test", "/plugin"));
    expect(rewritten).toMatchObject({ serverName: "plugin.test", host: "plugin.test:1" });
  });

  it("keeps connections apart by server name, and uses each again", async () => {
    await through(trusted, {}, "one.test");
    const connections: number[] = [];
    for (const host of ["one.test", "two.test", "one.test:81", "two.test"]) {
      connections.push(witnessed(await ask(host)).connection);
    }
    const [first, second, third, fourth] = connections;
    expect([third, fourth]).toEqual([first, second]);
    expect(first).not.toBe(second);
  });

  it.each([
    { what: "hangs up on the greeting", answer: "" },
    { what: "answers it with HTTP", answer: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" },
  ])("is not there where something else $what: 502, and another node is asked", async ({ answer }) => {
    await using other = await startGreeter(answer);
    expect(reason(await through(other))).toEqual(TLS_FAILURE);
    const nodes = [
      { host: "127.0.0.1", port: other.port, weight: 1, priority: 1 },
      { host: "127.0.0.1", port: trusted.port, weight: 1 },
    ];
    expect(witnessed(await through(other, { nodes })).serverName).toBe("up.test");
  });

  it("has as long as `timeout.connect` for its handshake: 504", async () => {
    const timeout = { connect: 0.3, send: 5, read: 5 };
    const got = reason(await through(plain, { timeout }));
    expect(got).toEqual({ status: 504, list: "504", reason: "connect-timeout" });
  });

  it("carries WebSockets", async () => {
    const upstream = { scheme: "https", nodes: { [`127.0.0.1:${trusted.port}`]: 1 } };
    await gateway.route({ wss: { uri: "/wss", enable_websocket: true, upstream } });
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/wss`, { headers: { Host: "sockets.test" } });
    await once(socket, "open");
    socket.send("through both");
    const [data] = await once(socket, "message");
    expect(String(data)).toBe("through both");
    expect(trusted.seen.at(-1)).toMatchObject({ host: "sockets.test", serverName: "sockets.test" });
    socket.close();
    await once(socket, "close");
  });

  describe("with a client certificate", () => {
    const pairOf = ({ cert, key }: Certificates["client"]) => ({ client_cert: cert, client_key: key });

    it("gets that of the upstream, and refuses others and none", async () => {
      const shown = witnessed(await through(mutual, { tls: pairOf(known.client) }));
      expect(shown.client).toBe("fngate client");
      const { failures } = mutual;
      expect(reason(await through(mutual))).toEqual(TLS_FAILURE);
      // Node's server says no word of refusal to a certificate of another authority: it hangs up.
      expect((await through(mutual, { tls: pairOf(strange.client) })).status).toBe(502);
      expect(mutual.failures).toBe(failures + 2);
    });

    it("gets that of the `ssl` object that the upstream names, and the one that takes its place", async () => {
      await gateway.admin.put("/ssls/mine", { type: "client", ...strange.client });
      expect((await through(mutual, { tls: { client_cert_id: "mine" } })).status).toBe(502);
      await gateway.admin.put("/ssls/mine", { type: "client", ...known.client });
      await gateway.settle();
      expect(witnessed(await ask("up.test")).client).toBe("fngate client");
    });

    it("is not called when that object is missing or no client's: 502 without an attempt", async () => {
      const upstream = { scheme: "https", nodes: { [`127.0.0.1:${mutual.port}`]: 1 } };
      const routed = (id: string) => ({ id, uri: `/${id}`, upstream: { ...upstream, tls: { client_cert_id: id } } });
      await gateway.admin.put("/ssls/server", { sni: "server.test", ...known.server });
      for (const id of ["absent", "server"]) await gateway.writeRaw(`routes/${id}`, JSON.stringify(routed(id)));
      await gateway.settle();
      for (const path of ["/absent", "/server"]) {
        const got = await ask("up.test", path);
        expect(got.status).toBe(502);
        expect(valuesOf(got, "x-apisix-upstream-status")).toEqual([]);
      }
    });
  });
});

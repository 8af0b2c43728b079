import { once } from "node:events";
import { connect, createSecureServer, createServer, type Http2Server, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { createCertificates } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

/** One call as a service got it. */
interface SeenCall {
  readonly headers: IncomingHttpHeaders;
  readonly serverName: string | false | undefined;
  readonly protocol: string | false | null | undefined;
}

/** A service that answers every call with one empty message and `grpc-status: 0` in its trailers. */
class BareService implements AsyncDisposable {
  readonly calls: SeenCall[] = [];
  readonly #server: Http2Server;

  constructor(tls?: { readonly cert: string; readonly key: string }) {
    this.#server = tls === undefined ? createServer() : createSecureServer(tls);
    this.#server.on("stream", (stream, headers) => {
      const socket = stream.session?.socket as (TLSSocket & { readonly servername?: string | false }) | undefined;
      this.calls.push({ headers, serverName: socket?.servername, protocol: socket?.alpnProtocol });
      stream.on("error", () => {});
      stream.resume();
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-after": "yes" }));
      stream.end(EMPTY_MESSAGE);
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}

const EMPTY_MESSAGE = Buffer.alloc(5);

describe.each(MODES)("the fields of gRPC calls (%s)", (mode) => {
  let gateway: Gateway;
  let plain: BareService;
  let secure: BareService;

  beforeAll(async () => {
    const { server } = await createCertificates({ names: ["up.test"] });
    plain = await new BareService().listen();
    secure = await new BareService(server).listen();
    gateway = await startGateway(mode);
    const route = (id: string, upstream: object) => [
      id,
      { uri: `/${id}/*`, upstream: { scheme: "grpc", ...upstream } },
    ];
    const nodes = { [`127.0.0.1:${plain.port}`]: 1 };
    const backup = [
      { host: "127.0.0.1", port: 1, weight: 1, priority: 1 },
      { host: "127.0.0.1", port: plain.port, weight: 1 },
    ];
    await gateway.route(
      Object.fromEntries([
        route("plain", { nodes }),
        route("by-node", { nodes, pass_host: "node" }),
        route("rewritten", { nodes, pass_host: "rewrite", upstream_host: "fixed.test:7" }),
        route("secure", { scheme: "grpcs", nodes: { [`127.0.0.1:${secure.port}`]: 1 } }),
        route("backup", { nodes: backup }),
        route("none", { nodes: {} }),
        route("gone", { nodes: { "127.0.0.1:1": 1 } }),
      ]),
    );
  });
  beforeEach(() => {
    for (const { calls } of [plain, secure]) calls.length = 0;
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const service of [plain, secure]) await service[Symbol.asyncDispose]();
  });

  /** Calls a method and returns all that came back. */
  async function call(path: string, fields: Readonly<Record<string, string>> = GRPC) {
    const session = connect(gateway.origin, { settings: {} });
    try {
      const stream = session.request({ ":method": "POST", ":path": path, ":authority": "client.test:81", ...fields });
      let trailers: IncomingHttpHeaders = {};
      stream.on("trailers", (received) => {
        trailers = received;
      });
      stream.end(EMPTY_MESSAGE);
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return { headers, trailers, body: Buffer.concat(chunks) };
    } finally {
      session.destroy();
    }
  }

  it("are those of the client, and nothing of where it is", async () => {
    const got = await call("/plain/Method", { ...GRPC, "x-mine": "1", "x-bin-bin": "AAE=", "x-real-ip": "192.0.2.1" });
    expect(got.headers).toMatchObject({ ":status": 200, "content-type": "application/grpc" });
    expect(got.body).toEqual(EMPTY_MESSAGE);
    expect(got.trailers).toMatchObject({ "grpc-status": "0", "x-after": "yes" });
    const [seen] = plain.calls;
    expect(seen?.headers).toMatchObject({
      ":method": "POST",
      ":path": "/plain/Method",
      ":scheme": "http",
      ":authority": "client.test:81",
      "content-type": "application/grpc",
      te: "trailers",
      "x-mine": "1",
      "x-bin-bin": "AAE=",
    });
    expect(seen?.headers).not.toHaveProperty("x-forwarded-for");
    expect(seen?.headers["x-real-ip"]).toBe("192.0.2.1");
  });

  it.each([
    { sent: {}, got: "application/grpc" },
    { sent: { "content-type": "application/json" }, got: "application/grpc" },
    { sent: { "content-type": "application/grpc+json" }, got: "application/grpc+json" },
  ])("have a type of gRPC: $got for $sent", async ({ got, sent }) => {
    await call("/plain/Method", { te: "trailers", ...sent });
    expect(plain.calls[0]?.headers["content-type"]).toBe(got);
  });

  it("have `te: trailers` even if the client does not say so", async () => {
    await call("/plain/Method", { "content-type": "application/grpc" });
    expect(plain.calls[0]?.headers["te"]).toBe("trailers");
  });

  it.each([
    { path: "/plain/M", authority: () => "client.test:81" },
    { path: "/by-node/M", authority: () => `127.0.0.1:${plain.port}` },
    { path: "/rewritten/M", authority: () => "fixed.test:7" },
  ])("name as authority what `pass_host` says: $path", async ({ authority, path }) => {
    await call(path);
    expect(plain.calls[0]?.headers[":authority"]).toBe(authority());
  });

  it("go over TLS under the name of the authority, in HTTP/2", async () => {
    expect((await call("/secure/M")).trailers["grpc-status"]).toBe("0");
    expect(secure.calls[0]).toMatchObject({ serverName: "client.test", protocol: "h2" });
    expect(secure.calls[0]?.headers).toMatchObject({ ":scheme": "https", ":authority": "client.test:81" });
  });

  it("reach another node where the first cannot be connected to", async () => {
    expect((await call("/backup/M")).trailers["grpc-status"]).toBe("0");
    expect(plain.calls).toHaveLength(1);
  });

  it.each([
    { path: "/none/M", status: 503, reason: "no-nodes" },
    { path: "/gone/M", status: 502, reason: "refused" },
  ])("are answered in HTTP where there is no service: $status, no grpc-status", async ({ path, reason, status }) => {
    const { body, headers, trailers } = await call(path);
    expect(headers).toMatchObject({ ":status": status, "content-type": "application/json" });
    expect(JSON.parse(body.toString())).toMatchObject({ reason });
    expect({ ...headers, ...trailers }).not.toHaveProperty("grpc-status");
  });
});

const GRPC = { "content-type": "application/grpc", te: "trailers" };

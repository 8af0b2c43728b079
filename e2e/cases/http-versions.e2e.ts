import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { text } from "node:stream/consumers";
import { type Certificates, createCertificates, type EchoUpstream, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { exchange, rawClient } from "../support/raw-client.ts";
import { parseResponse, valuesOf } from "../support/raw-response.ts";
import { outcomeOf, type TlsCommands, tlsCommands } from "../support/tls-commands.ts";

interface Http2Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Rows of the specification: HTTP versions toward the client. */
describe("HTTP versions", () => {
  const stack = new AsyncDisposableStack();
  let gateway: Gateway;
  let upstream: EchoUpstream;
  let certificates: Certificates;
  let commands: TlsCommands;
  let tlsPort: number;

  beforeAll(async () => {
    certificates = await createCertificates({ names: ["a.test"] });
    commands = stack.use(await tlsCommands(certificates));
    upstream = stack.use(await startEchoUpstream());
    gateway = stack.use(await startGateway("embedded"));
    tlsPort = gateway.dataPlane.address("https").port;
    await configure(gateway);
  });
  afterAll(() => stack.disposeAsync());

  async function configure(one: Gateway): Promise<void> {
    await one.admin.put("/ssls/1", { sni: "a.test", ...certificates.server });
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    const set = { "x-http2": "[$http2]" };
    await one.route({
      all: { uri: "/*", plugins: { "proxy-rewrite": { headers: { set } } }, upstream: { nodes } },
      keyed: { uri: "/keyed", plugins: { "key-auth": {} }, upstream: { nodes } },
    });
  }

  describe("on TLS", () => {
    const agreed = async (one: Gateway, ...options: readonly string[]): Promise<string> => {
      const { port } = one.dataPlane.address("https");
      const { text: printed } = await commands.sClient(port, "-servername", "a.test", ...options);
      const patterns = [/no application protocol/, /ALPN protocol: \S+/, /No ALPN negotiated/];
      return patterns.map((pattern) => pattern.exec(printed)?.[0]).find((found) => found !== undefined) ?? printed;
    };

    it.each([
      { offers: "h2,http/1.1", agrees: "ALPN protocol: h2" },
      { offers: "http/1.1,h2", agrees: "ALPN protocol: h2" },
      { offers: "http/1.1", agrees: "ALPN protocol: http/1.1" },
      { offers: "nonsense", agrees: "no application protocol" },
    ])("a client that offers $offers is answered: $agrees", async ({ offers, agrees }) => {
      expect(await agreed(gateway, "-alpn", offers)).toBe(agrees);
    });

    it("a client that offers nothing is served by HTTP/1.1", async () => {
      expect(await agreed(gateway)).toBe("No ALPN negotiated");
      const options = ["-servername", "a.test", "-verify_return_error"];
      const { text: printed } = await commands.sClientUntilClosed(tlsPort, ...options);
      expect(printed).toContain("HTTP/1.1 200 OK");
    });

    it.each([
      { option: "--http2", version: "2", variable: "[h2]" },
      { option: "--http2-prior-knowledge", version: "2", variable: "[h2]" },
      { option: "--http1.1", version: "1.1", variable: "[]" },
      { option: "--http1.0", version: "1.1", variable: "[]" },
    ])("curl $option is answered by $version", async ({ option, version, variable }) => {
      const { text: printed } = await commands.curl(tlsPort, { host: "a.test", path: "/x" }, option);
      expect(printed).toContain(`"x-http2":"${variable}"`);
      expect(printed).toMatch(new RegExp(`\\n200 ${version}$`));
    });

    it("neither TLS nor plain ports speak HTTP/2 without `enable_http2`", async () => {
      await using plain = await startGateway("embedded", { apisix: { enable_http2: false } });
      await configure(plain);
      expect(await agreed(plain, "-alpn", "h2,http/1.1")).toBe("ALPN protocol: http/1.1");
      expect(await agreed(plain, "-alpn", "h2")).toBe("no application protocol");
      const { port } = plain.dataPlane.address("https");
      expect((await commands.curl(port, { host: "a.test", path: "/x" }, "--http2")).text).toMatch(/\n200 1\.1$/);
      expect((await outcomeOf("curl", ["-sS", "--http2-prior-knowledge", `${plain.origin}/x`])).code).not.toBe(0);
    });
  });

  describe("on plain ports", () => {
    it.each([
      { options: ["--http2-prior-knowledge"], version: "2", variable: "[h2c]" },
      { options: ["--http2"], version: "1.1", variable: "[]" },
      { options: ["--http1.1"], version: "1.1", variable: "[]" },
    ])("curl $options is answered by $version", async ({ options, version, variable }) => {
      const { text: printed } = await outcomeOf("curl", [
        "-sS",
        "-w",
        "\n%{http_version}",
        ...options,
        `${gateway.origin}/x`,
      ]);
      expect(printed).toContain(`"x-http2":"${variable}"`);
      expect(printed.split("\n").at(-1)).toBe(version);
    });

    it("HTTP/1.0 gets no chunks: an answer of unknown length ends with the connection", async () => {
      upstream.replyWith({ chunks: ["un", "known"] });
      await using client = await rawClient(gateway.port);
      client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      const answer = parseResponse(await client.untilClosed(), "GET");
      expect(answer).toMatchObject({ status: 200, body: "unknown" });
      expect(valuesOf(answer, "transfer-encoding")).toEqual([]);
      expect(valuesOf(answer, "content-length")).toEqual([]);
      expect(valuesOf(answer, "connection")).toEqual(["close"]);
    });

    it("HTTP/1.0 keeps its connection only if it asks to, and the length is known", async () => {
      upstream.replyWith({ headers: { "content-length": "5" }, body: "known" });
      await using kept = await rawClient(gateway.port);
      for (const count of [1, 2]) {
        kept.send("GET /x HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n");
        await expect.poll(() => kept.received.split("known").length - 1).toBe(count);
      }
      expect(kept.received.match(/Connection: keep-alive/gi)).toHaveLength(2);
      await using closed = await rawClient(gateway.port);
      closed.send("GET /x HTTP/1.0\r\nHost: a.test\r\n\r\n");
      expect(parseResponse(await closed.untilClosed(), "GET")).toMatchObject({ status: 200, body: "known" });
    });

    it("HTTP/1.1 pipelining is answered in order, whatever the upstream does first", async () => {
      const first = Promise.withResolvers<void>();
      upstream.replyWith(async ({ url }) => {
        if (url === "/one") await first.promise;
        return { body: `<${url}>` };
      });
      await using client = await rawClient(gateway.port);
      const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n${more}\r\n`;
      client.send(get("/one") + get("/two") + get("/three", "Connection: close\r\n"));
      first.resolve();
      const received = await client.untilClosed();
      expect(received.match(/<[^>]+>/g)).toEqual(["</one>", "</two>", "</three>"]);
    });
  });

  describe("Expect: 100-continue", () => {
    const ask = "Host: a.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";

    it("is answered when the body is wanted", async () => {
      upstream.replyWith({});
      await using client = await rawClient(gateway.port);
      client.send(`POST /x HTTP/1.1\r\n${ask}`);
      await client.until("HTTP/1.1 100 Continue\r\n\r\n");
      client.send("body");
      expect(await client.untilClosed()).toContain('"body":"body"');
    });

    it("is not answered when the request is refused before", async () => {
      await using client = await rawClient(gateway.port);
      client.send(`POST /keyed HTTP/1.1\r\n${ask}`);
      await client.until("401 Unauthorized");
      expect(client.received).not.toContain("100 Continue");
    });
  });

  describe("HTTP/2", () => {
    async function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders): Promise<Http2Answer> {
      const stream = session.request({ ":path": "/x", ":authority": "a.test", ...headers });
      const [answer] = await once(stream, "response");
      return { headers: answer, body: await text(stream) };
    }

    async function withSession<TResult>(use: (session: ClientHttp2Session) => Promise<TResult>): Promise<TResult> {
      const session = connect(gateway.origin);
      try {
        return await use(session);
      } finally {
        session.destroy();
      }
    }

    it("makes `:authority` the Host, and says it to the upstream as it was written", async () => {
      upstream.replyWith({});
      const { body } = await withSession((session) => ask(session, { ":authority": "Some.Test:8443" }));
      expect(JSON.parse(body).headers).toMatchObject({ host: "Some.Test:8443", "x-forwarded-host": "Some.Test:8443" });
      const mocking = { response_example: "by the host" };
      await gateway.route({ host: { uri: "/x", host: "some.test", plugins: { mocking } } });
      const routed = await withSession((session) => ask(session, { ":authority": "Some.Test:8443" }));
      expect(routed.body).toBe("by the host");
      await gateway.admin.delete("/routes/host");
      await gateway.settle();
    });

    it("joins cookie fields, and drops trailers", async () => {
      upstream.replyWith({});
      const before = upstream.requests.length;
      await withSession(async (session) => {
        await ask(session, { cookie: ["a=1", "b=2", "c=3"] });
        const stream = session.request(
          { ":path": "/x", ":authority": "a.test", ":method": "POST" },
          { waitForTrailers: true },
        );
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-late": "1" }));
        stream.end("body");
        await text(stream);
      });
      const [cookies, trailed] = upstream.requests.slice(before);
      expect(cookies?.headers.cookie).toBe("a=1; b=2; c=3");
      expect(trailed?.body.toString()).toBe("body");
      expect(trailed?.rawTrailers).toEqual([]);
      expect(trailed?.headers).not.toHaveProperty("x-late");
    });

    it("answers with lower-case names and without fields of an HTTP/1 connection", async () => {
      const headers = ["X-Some", "1", "Connection", "close", "Keep-Alive", "timeout=5", "Proxy-Connection", "close"];
      upstream.replyWith({ headers: [...headers, "Upgrade", "h2c", "Transfer-Encoding", "chunked"], body: "answer" });
      const options = ["-sS", "-i", "--http2-prior-knowledge", `${gateway.origin}/x`];
      const { text: printed } = await outcomeOf("curl", options);
      const names = printed
        .split("\r\n\r\n")[0]
        ?.split("\r\n")
        .slice(1)
        .map((line) => line.split(":")[0]);
      expect(printed).toMatch(/^HTTP\/2 200/);
      expect(names).toContain("x-some");
      expect(names?.filter((name) => name !== name?.toLowerCase())).toEqual([]);
      for (const name of ["connection", "keep-alive", "proxy-connection", "upgrade", "transfer-encoding"]) {
        expect(names).not.toContain(name);
      }
    });

    it("has 128 streams at once, no push, and no extended CONNECT", async () => {
      upstream.replyWith({ headers: { link: "</style.css>; rel=preload; as=style" }, body: "page" });
      await withSession(async (session) => {
        const pushed: unknown[] = [];
        session.on("stream", (stream) => pushed.push(stream));
        expect((await ask(session, {})).body).toBe("page");
        expect(session.remoteSettings.maxConcurrentStreams).toBe(128);
        expect(session.remoteSettings.enableConnectProtocol ?? false).toBe(false);
        const tunnel = { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "http" };
        const stream = session.request({ ":path": "/x", ":authority": "a.test", ...tunnel });
        await expect(once(stream, "response")).rejects.toThrow("NGHTTP2_PROTOCOL_ERROR");
        expect(pushed).toEqual([]);
      });
    });

    it("carries 1000 requests on a connection, loses none, and then asks for another", async () => {
      upstream.replyWith({ body: "ok" });
      await withSession(async (session) => {
        const told = once(session, "goaway");
        const closed = once(session, "close");
        const bodies: string[] = [];
        for (let round = 0; round < 10; round += 1) {
          const answers = await Promise.all(Array.from({ length: 100 }, () => ask(session, {})));
          bodies.push(...answers.map(({ body }) => body));
        }
        expect(bodies.filter((body) => body !== "ok")).toEqual([]);
        expect(bodies).toHaveLength(1_000);
        expect((await told)[0]).toBe(0);
        await closed;
      });
      expect((await exchange(gateway.port, { target: "/x" })).body).toBe("ok");
    });
  });
});

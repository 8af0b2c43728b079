import { execFile } from "node:child_process";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { rawClient } from "../support/raw-client.ts";

const run = promisify(execFile);

describe.each(MODES)("HTTP/2 in the clear (%s)", (mode) => {
  let gateway: Gateway;
  let upstream: EchoUpstream;

  beforeAll(async () => {
    upstream = await startEchoUpstream({
      reply: ({ method, url, body }) => ({ body: `${method} ${url} ${body.length}` }),
    });
    gateway = await startGateway(mode);
    await gateway.route({ all: { uri: "/*", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } } });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function curl(path: string, ...options: readonly string[]): Promise<string> {
    const format = "\n%{http_code} %{http_version}";
    const { stdout } = await run("curl", ["-sS", "-w", format, ...options, gateway.origin + path], { timeout: 20_000 });
    return stdout;
  }

  /** The status of one request on a connection. */
  async function statusOf(session: ClientHttp2Session, path: string): Promise<number | undefined> {
    const stream = session.request({ ":path": path, ":authority": "a.test" });
    const [head] = await once(stream, "response");
    await buffer(stream);
    return head[":status"];
  }

  it("is spoken by prior knowledge on the port that speaks HTTP/1.1, and an upgrade to it is not", async () => {
    expect(await curl("/x", "--http2-prior-knowledge")).toBe("GET /x 0\n200 2");
    expect(await curl("/x", "--http1.1")).toBe("GET /x 0\n200 1.1");
    expect(await curl("/x", "--http2")).toBe("GET /x 0\n200 1.1");
    expect(await curl("/x", "--http1.0")).toMatch(/^GET \/x 0\n200 1\.[01]$/);
  });

  it("carries bodies, and methods without answers' bodies", async () => {
    expect(await curl("/up", "--http2-prior-knowledge", "--data-binary", "x".repeat(100_000))).toBe(
      "POST /up 100000\n200 2",
    );
    expect(await curl("/head", "--http2-prior-knowledge", "--head")).toMatch(/\n200 2$/);
  });

  it("keeps hundreds of requests on one connection apart", async () => {
    const session = connect(gateway.origin);
    const bodies = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const stream = session.request({ ":path": `/many/${index}`, ":authority": "a.test" });
        return (await buffer(stream)).toString();
      }),
    );
    session.close();
    expect(bodies).toEqual(Array.from({ length: 500 }, (_, index) => `GET /many/${index} 0`));
  });

  it("does not let a field through that would be a line of its own in HTTP/1", async () => {
    const session = connect(gateway.origin);
    session.on("error", () => {});
    const before = upstream.requests.length;
    // Node's client takes it; the gateway's parser must not.
    const stream = session.request({ ":path": "/a HTTP/1.1\r\nx: y", ":authority": "a.test" });
    stream.on("error", () => {});
    const [event] = await Promise.race([
      once(stream, "response").catch(() => ["reset"]),
      new Promise<string[]>((resolve) => stream.once("close", () => resolve(["reset"]))),
    ]);
    expect(event === "reset" || event[":status"] === 400).toBe(true);
    session.destroy();
    expect(upstream.requests.slice(before)).toEqual([]);
  });

  it("survives clients that flood it with settings, pings, empty frames or endless fields, and others notice nothing", async () => {
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const floods: Readonly<Record<string, string>> = {
      settings: "\0\0\0\x04\0\0\0\0\0",
      pings: `\0\0\x08\x06\0\0\0\0\0${"p".repeat(8)}`,
      resets: "\0\0\x01\x01\x05\0\0\0\x01\x82\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
      // A HEADERS frame without its end, and a CONTINUATION again and again.
      continuation: "\0\0\x01\x09\0\0\0\0\x01\x82",
    };
    const bystander = connect(gateway.origin);
    for (const [name, frame] of Object.entries(floods)) {
      await using client = await rawClient(gateway.port);
      client.send(preface + (name === "continuation" ? "\0\0\x01\x01\0\0\0\0\x01\x82" : ""));
      for (let burst = 0; burst < 60 && !client.isClosed; burst += 1) {
        client.send(frame.repeat(500));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await statusOf(bystander, `/${name}`)).toBe(200);
      // What costs the gateway something ends the connection; the others are answered and gone.
      if (name === "resets" || name === "continuation") await client.untilClosed();
    }
    bystander.close();
  });

  it("lets what is under way end when it stops, and tells clients to go", async () => {
    const slow = Promise.withResolvers<void>();
    await using late = await startEchoUpstream({
      reply: async () => {
        await slow.promise;
        return { body: "done" };
      },
    });
    await using other = await startGateway(mode);
    await other.route({ slow: { uri: "/slow", upstream: { nodes: { [`127.0.0.1:${late.port}`]: 1 } } } });
    const session = connect(other.origin);
    const stream = session.request({ ":path": "/slow", ":authority": "a.test" });
    await eventually(() => expect(late.requests).toHaveLength(1));
    const told = once(session, "goaway");
    other.dataPlane.signal("SIGTERM");
    expect((await told)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    slow.resolve();
    expect((await buffer(stream)).toString()).toBe("done");
    expect((await other.dataPlane.exited).code).toBe(0);
  });
});

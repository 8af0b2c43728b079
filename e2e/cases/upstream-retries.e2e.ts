import { mkdir, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange, type RawRequest } from "../support/raw-client.ts";
import { type RawResponse, valuesOf } from "../support/raw-response.ts";
import { type Answering, type Recorder, startRecorder } from "../support/recorder.ts";

/** Bodies up to this size are kept for another attempt. */
const KEPT_BYTES = 64 * 1024;

const hangUp: Answering = (_, socket) => void socket.destroy();
const staySilent: Answering = () => {};

/** A plugin that numbers the attempts of a request. */
const NUMBERING = `
import { definePlugin } from "@fngate/plugin-kit";
import { z } from "zod";

const attempts = new WeakMap<object, number>();

export default definePlugin({
  name: "numbering",
  version: 0.1,
  priority: 10,
  schema: z.object({}),
  setup: () => ({
    beforeProxy(context) {
      const number = (attempts.get(context) ?? 0) + 1;
      attempts.set(context, number);
      context.request.headers.set("X-Attempt", String(number));
    },
  }),
});
`;

/** Addresses of this machine where nothing listens. */
const refusing = (count: number) => Array.from({ length: count }, (_, index) => `127.0.0.${index + 1}:1`);

describe.each(MODES)("attempts after a failed one (%s)", (mode) => {
  let gateway: Gateway;
  let directory: TempDirectory;
  let first: Recorder;
  let second: Recorder;

  beforeAll(async () => {
    first = await startRecorder();
    second = await startRecorder();
    directory = await tempDirectory();
    await mkdir(directory.file("numbering"));
    await writeFile(directory.file("numbering/index.ts"), NUMBERING);
    const apisix = { show_upstream_status_in_response_header: true };
    gateway = await startGateway(mode, { apisix, pluginPaths: [directory.path] });
    const pair = [node(first, 1), node(second, 0)];
    const impatient = { connect: 5, send: 5, read: 0.3 };
    const route = (name: string, upstream: object) => [name, { uri: `/${name}`, upstream }] as const;
    await gateway.route(
      Object.fromEntries([
        route("pair", { nodes: pair, timeout: impatient }),
        route("once", { nodes: pair, retries: 0 }),
        route("late", { nodes: pair, timeout: impatient, retry_timeout: 0.1 }),
        route("in-time", { nodes: pair, timeout: impatient, retry_timeout: 30 }),
        route("all-tried", { nodes: pair, timeout: impatient, retries: 5 }),
        route("alone", { nodes: [node(first, 0)], retries: 1 }),
        route("refused", { nodes: [{ host: "127.0.0.1", port: 1, weight: 1, priority: 1 }, node(second, 0)] }),
        route("handshake", { scheme: "https", nodes: pair, timeout: { connect: 0.3, send: 5, read: 5 } }),
        route("by-node", { nodes: pair, pass_host: "node" }),
        ["numbered", { uri: "/numbered", plugins: { numbering: {} }, upstream: { nodes: pair } }],
        route("default", { nodes: weighted(refusing(3)) }),
        route("limited", { nodes: weighted(refusing(3)), retries: 1 }),
        route("beyond", { nodes: weighted(refusing(2)), retries: 9 }),
      ]),
    );
  });
  beforeEach(() => {
    first.reset();
    second.reset();
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const resource of [first, second, directory]) await resource[Symbol.asyncDispose]();
  });

  async function ask(path: string, request: Partial<RawRequest> = {}): Promise<RawResponse> {
    return exchange(gateway.port, { target: path, ...request });
  }

  it.each([
    { what: "hangs up before its answer", answer: hangUp, list: "502, 200" },
    { what: "breaks off in its head", answer: breakOff, list: "502, 200" },
    { what: "stays silent", answer: staySilent, list: "504, 200" },
  ])("follow on a node that $what", async ({ answer, list }) => {
    first.answerWith(answer);
    const got = await ask("/pair");
    expect(got.status).toBe(200);
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual([list]);
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  it("follow on a node that cannot be connected to", async () => {
    const got = await ask("/refused");
    expect(got.status).toBe(200);
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual(["502, 200"]);
  });

  it("follow on a TLS handshake that is not answered in the time to connect", async () => {
    // The nodes speak no TLS: they wait for an HTTP request.
    const got = await ask("/handshake");
    expect(got).toMatchObject({ status: 504, body: expect.stringContaining('"reason":"connect-timeout"') });
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual(["504, 504"]);
  });

  it.each([500, 502, 503, 504, 429, 404])("never follow on the answer %d", async (status) => {
    first.answerWith(`HTTP/1.1 ${status} X\r\nContent-Length: 3\r\n\r\nown`);
    expect(await ask("/pair")).toMatchObject({ status, body: "own" });
    expect(second.requests).toEqual([]);
  });

  it("never follow on an answer that is no HTTP", async () => {
    first.answerWith("SSH-2.0-Open\r\n");
    expect(await ask("/pair")).toMatchObject({ status: 502, body: expect.stringContaining("bad-response") });
    expect(second.requests).toEqual([]);
  });

  it("never follow once the client has a head", async () => {
    first.answerWith((_, socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    expect(await ask("/pair")).toMatchObject({ status: 200, body: "half" });
    expect(second.requests).toEqual([]);
  });

  describe("by method", () => {
    it.each(["POST", "PATCH", "LOCK"])("do not follow on a %s that the node may have seen", async (method) => {
      first.answerWith(hangUp);
      const got = await ask("/pair", { method, fields: ["Content-Length: 2"], body: "hi" });
      expect(got).toMatchObject({ status: 502, body: expect.stringContaining('"reason":"reset"') });
      expect(second.requests).toEqual([]);
      first.answerWith(staySilent);
      expect((await ask("/pair", { method })).status).toBe(504);
      expect(second.requests).toEqual([]);
    });

    it.each(["POST", "PATCH", "LOCK"])("follow on a %s that found no connection, with its body", async (method) => {
      const got = await ask("/refused", { method, fields: ["Content-Length: 2"], body: "hi" });
      expect(got.status).toBe(200);
      expect(await second.request()).toMatchObject({ requestLine: `${method} /refused HTTP/1.1`, body: "hi" });
    });

    it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PROPFIND"])("follow on a %s", async (method) => {
      first.answerWith(hangUp);
      expect((await ask("/pair", { method })).status).toBe(200);
      expect(await second.request()).toMatchObject({ requestLine: `${method} /pair HTTP/1.1` });
    });
  });

  describe("of a request with a body", () => {
    const put = (bytes: number) => {
      return { method: "PUT", fields: [`Content-Length: ${bytes}`], body: "x".repeat(bytes) };
    };
    const chunked = { method: "PUT", fields: ["Transfer-Encoding: chunked"], body: "2\r\nhi\r\n0\r\n\r\n" };

    it.each([1, KEPT_BYTES])("send %d bytes again", async (bytes) => {
      first.answerWith(hangUp);
      expect((await ask("/pair", put(bytes))).status).toBe(200);
      expect((await second.request()).body).toBe("x".repeat(bytes));
    });

    it("do not follow when the body is larger than what is kept, or of unknown length, and was sent", async () => {
      first.answerWith(hangUp);
      expect((await ask("/pair", put(KEPT_BYTES + 1))).status).toBe(502);
      expect((await ask("/pair", chunked)).status).toBe(502);
      expect(second.requests).toEqual([]);
    });

    it("follow with any body as long as nothing of it was sent", async () => {
      expect((await ask("/refused", put(KEPT_BYTES * 8))).status).toBe(200);
      expect((await second.request()).body).toHaveLength(KEPT_BYTES * 8);
      expect((await ask("/refused", chunked)).status).toBe(200);
      expect((await second.request(2)).body).toBe("hi");
    });
  });

  describe("are counted", () => {
    it.each([
      { path: "/default", what: "as many as there are other nodes by default", list: "502, 502, 502" },
      { path: "/limited", what: "as `retries` says", list: "502, 502" },
      { path: "/beyond", what: "once per node even if more are allowed", list: "502, 502" },
    ])("$what", async ({ path, list }) => {
      const got = await ask(path);
      expect(got).toMatchObject({ status: 502, body: expect.stringContaining('"reason":"refused"') });
      expect(valuesOf(got, "x-apisix-upstream-status")).toEqual([list]);
    });

    it("none with `retries: 0`", async () => {
      first.answerWith(hangUp);
      expect((await ask("/once")).status).toBe(502);
      expect(second.requests).toEqual([]);
    });

    it("until all nodes were tried, which is 502 whatever they did; before that the last failure says", async () => {
      first.answerWith(staySilent);
      second.answerWith(staySilent);
      const all = await ask("/all-tried");
      expect(all.status).toBe(502);
      expect(valuesOf(all, "x-apisix-upstream-status")).toEqual(["504, 504"]);
      expect((await ask("/pair")).status).toBe(504);
    });

    it("on one and the same node where there is no other", async () => {
      hangUpOnce(first);
      const got = await ask("/alone");
      expect(got.status).toBe(200);
      expect(valuesOf(got, "x-apisix-upstream-status")).toEqual(["502, 200"]);
      expect(first.requests).toHaveLength(2);
    });
  });

  it("do not begin later than `retry_timeout` allows: then it is 502", async () => {
    first.answerWith(staySilent);
    const late = await ask("/late");
    expect(late.status).toBe(502);
    expect(valuesOf(late, "x-apisix-upstream-status")).toEqual(["504"]);
    expect(second.requests).toEqual([]);
    expect((await ask("/in-time")).status).toBe(200);
  });

  it("are looked at by plugins one by one", async () => {
    first.answerWith(hangUp);
    await ask("/numbered");
    const numbers = [await first.request(), await second.request()].map((request) => valuesOf(request, "x-attempt"));
    expect(numbers).toEqual([["1"], ["2"]]);
  });

  it("name the node that is asked where `pass_host` says so", async () => {
    first.answerWith(hangUp);
    await ask("/by-node");
    const hosts = [await first.request(), await second.request()].map((request) => valuesOf(request, "host"));
    expect(hosts).toEqual([[`127.0.0.1:${first.port}`], [`127.0.0.1:${second.port}`]]);
  });

  it("are not counted where a kept connection turns out to be dead: that is tried on a new one", async () => {
    expect((await ask("/once")).status).toBe(200);
    const kept = (await first.request()).connection;
    const closeKept: Answering = ({ connection }, socket) => void (connection === kept ? socket.destroy() : ok(socket));
    first.answerWith(closeKept);
    const got = await ask("/once");
    expect(got.status).toBe(200);
    expect(valuesOf(got, "x-apisix-upstream-status")).toEqual(["200"]);
    expect(first.requests.map(({ connection }) => connection === kept)).toEqual([true, true, false]);
  });
});

function node(recorder: Recorder, priority: number) {
  return { host: "127.0.0.1", port: recorder.port, weight: 1, priority };
}

function weighted(addresses: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(addresses.map((address) => [address, 1]));
}

function ok(socket: Socket): void {
  socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

function breakOff(_: unknown, socket: Socket): void {
  socket.end("HTTP/1.1 200 OK\r\nContent-");
}

function hangUpOnce(recorder: Recorder): void {
  recorder.answerWith((_, socket) => {
    recorder.answerWith((__, next) => ok(next));
    socket.destroy();
  });
}

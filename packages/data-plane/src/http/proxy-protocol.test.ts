import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { createCertificates, type EchoUpstream, startEchoUpstream } from "@fngate/test-kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DataPlaneOptions } from "../options.ts";
import { type RunningPlane, startPlane } from "../testing/running-plane.ts";
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from "./proxy-protocol.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/** A header of version 2. */
function v2(command: number, family: number, content: Buffer): Buffer {
  const fixed = Buffer.alloc(16);
  fixed.write(SIGNATURE, "latin1");
  fixed.writeUInt8(0x20 | command, 12);
  fixed.writeUInt8(family, 13);
  fixed.writeUInt16BE(content.length, 14);
  return Buffer.concat([fixed, content]);
}

const IPV4 = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2, 0x10, 0x01, 0x00, 0x50]);
const IPV6 = Buffer.concat([
  Buffer.from("20010db8000000000000000000000001", "hex"),
  Buffer.from("20010db8000000000000000000000002", "hex"),
  Buffer.from([0x10, 0x01, 0x00, 0x50]),
]);

describe("reading a header", () => {
  test.each([
    { header: "PROXY TCP4 192.0.2.1 192.0.2.2 4097 80\r\n", source: "192.0.2.1", destination: "192.0.2.2" },
    { header: "PROXY TCP6 2001:db8::1 2001:db8::2 4097 80\r\n", source: "2001:db8::1", destination: "2001:db8::2" },
    { header: v2(1, 0x11, IPV4), source: "192.0.2.1", destination: "192.0.2.2" },
    { header: v2(1, 0x21, IPV6), source: "2001:db8::1", destination: "2001:db8::2" },
    { header: v2(1, 0x11, Buffer.concat([IPV4, Buffer.alloc(40)])), source: "192.0.2.1", destination: "192.0.2.2" },
  ])("%# names both ends, and exactly its own bytes belong to it", ({ header, source, destination }) => {
    const bytes = Buffer.from(header);
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from("GET / HTTP/1.1\r\n")]))).toEqual({
      lengthBytes: bytes.length,
      addresses: {
        ...{ sourceAddress: source, destinationAddress: destination, sourcePort: 4097, destinationPort: 80 },
      },
    });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(readProxyHeader(bytes.subarray(0, length))).toBeUndefined();
    }
  });

  test.each([
    { title: "UNKNOWN", header: Buffer.from("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n") },
    { title: "LOCAL", header: v2(0, 0x11, IPV4) },
    { title: "a unix socket", header: v2(1, 0x31, Buffer.alloc(216)) },
    { title: "no family", header: v2(1, 0, Buffer.alloc(0)) },
  ])("$title names nobody", ({ header }) => {
    expect(readProxyHeader(header)).toEqual({ lengthBytes: header.length, addresses: undefined });
  });

  test.each([
    "GET / HTTP/1.1\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 4097\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 4097 80 81\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 04097 80\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 4097 65536\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 -1 80\r\n",
    "PROXY TCP4 192.0.2.1  192.0.2.2 4097 80\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 4097 80\r\n",
    "PROXY TCP6 192.0.2.1 192.0.2.2 4097 80\r\n",
    "PROXY TCP6 fe80::1%eth0 2001:db8::2 4097 80\r\n",
    "PROXY TCP4 evil\n192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY UDP4 192.0.2.1 192.0.2.2 4097 80\r\n",
    "proxy TCP4 192.0.2.1 192.0.2.2 4097 80\r\n",
    `PROXY TCP4 ${"1".repeat(120)}`,
  ])("%j is refused", (header) => {
    expect(readProxyHeader(Buffer.from(header))).toBe("invalid");
  });

  test("version 2 is refused with another version, an unknown command, too few addresses or too much of anything", () => {
    const changed = (at: number, value: number) => v2(1, 0x11, IPV4).with(at, value);
    expect(readProxyHeader(Buffer.from(changed(12, 0x11)))).toBe("invalid");
    expect(readProxyHeader(Buffer.from(changed(12, 0x22)))).toBe("invalid");
    expect(readProxyHeader(v2(1, 0x11, IPV4.subarray(0, 11)))).toBe("invalid");
    expect(readProxyHeader(v2(1, 0x21, IPV4))).toBe("invalid");
    expect(readProxyHeader(v2(1, 0x11, Buffer.alloc(MAX_PROXY_HEADER_BYTES)).subarray(0, 16))).toBe("invalid");
  });

  test("no bytes make it throw, or claim more than there is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, hasSignature) => {
        const bytes = Buffer.concat([Buffer.from(hasSignature ? SIGNATURE : "PROXY ", "latin1"), noise]);
        const header = readProxyHeader(bytes);
        if (typeof header === "object") expect(header.lengthBytes).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

/** A plane whose port wants the header, and its upstream. */
async function startProxied(options: Omit<Partial<DataPlaneOptions>, "store"> = {}) {
  const upstream = await startEchoUpstream();
  const listen = [{ host: "127.0.0.1", port: 0, isProxied: true, isHttp2Enabled: true }];
  const plane = await startPlane({ listen, ...options });
  await plane.put("routes/all", { uri: "/*", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
  const stack = new AsyncDisposableStack();
  stack.use(upstream);
  stack.use(plane);
  return { plane, upstream, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const HEADER = "PROXY TCP4 192.0.2.1 192.0.2.2 4097 80\r\n";
const GET = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** Sends pieces, each as soon as the one before is on its way, and collects the answer until the gateway closes. */
async function send(plane: RunningPlane, pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(plane.portOf("proxied-http"), "127.0.0.1");
  socket.setNoDelay(true);
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  socket.on("error", () => {});
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  if (!socket.closed) await once(socket, "close");
  return received;
}

const clientsSeenBy = ({ requests }: EchoUpstream) => requests.map(({ headers }) => headers["x-real-ip"]);

describe("a port with the PROXY protocol", () => {
  test("the header's client is a variable; the address stays the peer's unless the configuration believes the header", async () => {
    const accessLogTemplate = "$remote_addr $proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr";
    await using plain = await startProxied({ accessLogTemplate });
    expect(await send(plain.plane, [HEADER + GET])).toContain("HTTP/1.1 200");
    expect(plain.plane.accessLog.join("")).toBe("127.0.0.1 192.0.2.1 4097 192.0.2.2\n");
    expect(clientsSeenBy(plain.upstream)).toEqual(["127.0.0.1"]);

    await using believing = await startProxied({ accessLogTemplate, realIp: { header: "proxy_protocol" } });
    await send(believing.plane, [v2(1, 0x11, IPV4), GET]);
    expect(clientsSeenBy(believing.upstream)).toEqual(["192.0.2.1"]);

    const realIp = { header: "proxy_protocol", from: ["10.0.0.0/8"] };
    await using strange = await startProxied({ accessLogTemplate, realIp });
    await send(strange.plane, [HEADER, GET]);
    expect(clientsSeenBy(strange.upstream)).toEqual(["127.0.0.1"]);
  });

  test("a header in pieces is read, and HTTP/2 may follow it", async () => {
    await using proxied = await startProxied();
    expect(await send(proxied.plane, [...(HEADER + GET)])).toContain("HTTP/1.1 200");
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const goaway = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const answer = await send(proxied.plane, [HEADER, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings, goaway]);
    expect(answer.charCodeAt(3)).toBe(4);
  });

  test.each([
    { title: "no header", bytes: GET },
    { title: "a header with a wrong address", bytes: HEADER.replace("192.0.2.1", "192.0.2.999") + GET },
    { title: "a header behind a request line", bytes: `GET /x HTTP/1.1\r\n${HEADER}Host: a\r\n\r\n` },
  ])("a connection with $title is closed without an answer, and reaches no upstream", async ({ bytes }) => {
    await using proxied = await startProxied();
    expect(await send(proxied.plane, [bytes])).toBe("");
    expect(proxied.upstream.requests).toEqual([]);
  });

  test("a second header is no part of the first: it is refused like any broken request", async () => {
    await using proxied = await startProxied();
    expect(await send(proxied.plane, [HEADER + HEADER + GET])).toMatch(/^HTTP\/1.1 400/);
    expect(proxied.upstream.requests).toEqual([]);
  });

  test("a header of version 2 hides no request in its extensions", async () => {
    await using proxied = await startProxied();
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    const header = v2(1, 0x11, Buffer.concat([IPV4, Buffer.from(smuggled)]));
    expect(await send(proxied.plane, [header, GET])).toContain("HTTP/1.1 200");
    expect(proxied.upstream.requests.map(({ url }) => url)).toEqual(["/x"]);
  });

  test("a header that does not come to its end is waited for no longer than a head", async () => {
    await using proxied = await startProxied({ clientLimits: { headerTimeoutMs: 100 } });
    expect(await send(proxied.plane, ["PROXY TCP4 192."])).toBe("");
  });

  test("a port without it takes the header for a broken request", async () => {
    await using plane = await startPlane();
    expect(await plane.raw(HEADER + GET)).toMatch(/^HTTP\/1.1 400/);
  });

  test("TLS may follow the header", async () => {
    const { server } = await createCertificates({ names: ["a.test"] });
    const listen = [{ host: "127.0.0.1", port: 0, isProxied: true, isTls: true }];
    await using plane = await startPlane({ listen, accessLogTemplate: "$scheme $proxy_protocol_addr" });
    await plane.put("ssls/1", { sni: "a.test", cert: server.cert, key: server.key });
    const socket = connect(plane.portOf("proxied-https"), "127.0.0.1");
    socket.write(HEADER);
    const secure = connectTls({ socket, servername: "a.test", rejectUnauthorized: false });
    secure.write(GET);
    secure.resume();
    await once(secure, "close");
    expect(plane.accessLog.join("")).toBe("https 192.0.2.1\n");
  });
});

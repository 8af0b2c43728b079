import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type ConnectionOptions, connect } from "node:tls";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_HELLO_BYTES, readTlsOpening } from "./client-hello.ts";

/** The first bytes of a real client. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const client = connect({ host: "127.0.0.1", port, ...options });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** The same message in records of at most `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

describe("readTlsOpening", () => {
  test.each([
    { options: { servername: "A.Test" }, serverName: "a.test" },
    { options: { servername: "a.test", maxVersion: "TLSv1.2" }, serverName: "a.test" },
    { options: { servername: "a.test", ALPNProtocols: ["h2"] }, serverName: "a.test" },
    { options: {}, serverName: undefined },
  ] as const)("reads the name of a client with $options", async ({ options, serverName }) => {
    const hello = await helloOf(options as ConnectionOptions);
    expect(readTlsOpening(hello)).toEqual({ serverName });
    for (let length = 0; length < hello.length; length += 1) {
      expect(readTlsOpening(hello.subarray(0, length))).toBeUndefined();
    }
  });

  test("a hello in many records is put together", async () => {
    const hello = await helloOf({ servername: "a.test" });
    for (const size of [1, 7, 100]) expect(readTlsOpening(inRecords(hello, size))).toEqual({ serverName: "a.test" });
  });

  test.each([
    { title: "plain HTTP", bytes: Buffer.from("GET / HTTP/1.1\r\n"), expected: "http" },
    { title: "an alert", bytes: Buffer.from([21, 3, 1, 0, 2, 1, 0]), expected: "unknown" },
    { title: "SSL 2", bytes: Buffer.from([0x80, 0x2e, 1, 0, 2]), expected: "unknown" },
    { title: "an empty record", bytes: Buffer.from([22, 3, 1, 0, 0]), expected: "unknown" },
    { title: "another message", bytes: Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]), expected: "unknown" },
    { title: "a hello that is too long", bytes: Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0]), expected: "unknown" },
    { title: "a hello that ends too early", bytes: Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 9]), expected: "unknown" },
  ])("$title is $expected", ({ bytes, expected }) => {
    expect(readTlsOpening(bytes)).toBe(expected);
  });

  test("no change to a hello makes it throw", async () => {
    const hello = await helloOf({ servername: "a.test" });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const changed = Buffer.from(hello);
        for (const [at, value] of changes) changed[at] = value;
        const opening = readTlsOpening(changed);
        if (typeof opening === "object") expect(opening.serverName ?? "").not.toHaveLength(MAX_HELLO_BYTES);
      }),
    );
  });
});

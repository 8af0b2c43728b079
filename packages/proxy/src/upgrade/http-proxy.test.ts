import { spawn } from "node:child_process";
import { Agent, createServer } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import type HttpProxy from "http-proxy";
import { expect, test } from "vitest";
import { RawConnection } from "../testing/raw-server.ts";
import { createHttpProxy } from "./http-proxy.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
const CHUNKED_DELETE =
  "DELETE /item HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
  `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;

const AFTER = "GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/** What an upstream sees of a chunked DELETE whose body looks like a request. */
async function requestsBehind(proxy: HttpProxy): Promise<string[]> {
  await using upstream = await startEchoUpstream();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const server = createServer((request, response) => {
    proxy.web(request, response, { target: upstream.origin, agent }, () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new RawConnection(connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" }));
  client.socket.write(CHUNKED_DELETE);
  await eventually(() => client.received.startsWith("HTTP/1.1 200"));
  // Whatever was smuggled is read before what follows on the kept connection.
  client.socket.write(AFTER);
  await eventually(() => client.isClosed && upstream.requests.some(({ url }) => url === "/after"));
  agent.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return upstream.requests.map(({ method, url, body }) => `${method} ${url} ${body.length}`);
}

test("a chunked DELETE is one request behind our http-proxy", async () => {
  expect(await requestsBehind(createHttpProxy())).toEqual([`DELETE /item ${SMUGGLED.length}`, "GET /after 0"]);
});

test("a bare http-proxy still turns the body of a chunked DELETE into a request of its own", async () => {
  // When this fails, http-proxy was mended and our own filter can go.
  const bare: typeof HttpProxy = createRequire(import.meta.url)("http-proxy");
  expect(await requestsBehind(bare.createProxyServer())).toEqual(["DELETE /item 0", "GET /smuggled 0", "GET /after 0"]);
});

test("using http-proxy prints no deprecation", async () => {
  const script = `
    import { createHttpProxy } from ${JSON.stringify(new URL("./http-proxy.ts", import.meta.url).href)};
    import { createServer } from "node:http";
    const proxy = createHttpProxy();
    const server = createServer((request, response) =>
      proxy.web(request, response, { target: "http://127.0.0.1:1" }, () => response.end(() => server.close())));
    server.listen(0, () => fetch("http://127.0.0.1:" + server.address().port, { headers: { connection: "close" } }));
  `;
  const child = spawn(process.execPath, ["--conditions=@fngate/source", "--input-type=module", "-e", script]);
  expect(await text(child.stderr)).toBe("");
});

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { createCertificates, eventually, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange, rawClient, requestText } from "../support/raw-client.ts";
import { valuesOf } from "../support/raw-response.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** A head with a length, then the body. */
function answer(status: string, fields: readonly string[], body = ""): string {
  return [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe.each(MODES)("what a client gets of a function's answer (%s)", (mode) => {
  let gateway: Gateway;
  let recorder: Recorder;
  let trusted: Recorder;
  let misnamed: Recorder;
  let unknown: Recorder;
  let directory: TempDirectory;

  beforeAll(async () => {
    directory = await tempDirectory();
    const [good, other, stranger] = await Promise.all([
      createCertificates(),
      createCertificates({ names: ["other.test"] }),
      createCertificates(),
    ]);
    const trustedFile = directory.file("trusted.pem");
    await writeFile(trustedFile, good.ca + other.ca);
    recorder = await startRecorder();
    trusted = await startRecorder(good.server);
    misnamed = await startRecorder(other.server);
    unknown = await startRecorder(stranger.server);
    gateway = await startGateway(mode, { environment: { NODE_EXTRA_CA_CERTS: trustedFile } });
    const call = (function_uri: string, more: object = {}) => ({
      plugins: { openfunction: { function_uri, ...more } },
    });
    const uri = `http://127.0.0.1:${recorder.port}`;
    await gateway.route({
      fn: { uri: "/fn", ...call(uri) },
      quick: { uri: "/quick", ...call(uri, { timeout: 300 }) },
      patient: { uri: "/patient", ...call(`http://127.0.0.1:${recorder.port}/patient`, { timeout: 600_000 }) },
      pool: { uri: "/pool", ...call(`http://localhost:${recorder.port}/pool`, { keepalive: true }) },
      single: { uri: "/single", ...call(`http://localhost:${recorder.port}/single`, { keepalive: false }) },
      refused: { uri: "/refused", ...call(`http://127.0.0.1:${await closedPort()}`) },
      unresolved: { uri: "/unresolved", ...call("http://no-such-host.invalid/") },
      ftp: { uri: "/ftp", ...call("ftp://127.0.0.1/") },
      empty: { uri: "/empty", ...call("") },
      userinfo: { uri: "/userinfo", ...call(`http://user:secret-word@127.0.0.1:${recorder.port}/`) },
      trusted: { uri: "/trusted", ...call(`https://localhost:${trusted.port}/`) },
      trustedAddress: { uri: "/trusted-address", ...call(`https://127.0.0.1:${trusted.port}/`) },
      misnamed: { uri: "/misnamed", ...call(`https://localhost:${misnamed.port}/`) },
      misnamedTaken: { uri: "/misnamed-taken", ...call(`https://localhost:${misnamed.port}/`, { ssl_verify: false }) },
      unknown: { uri: "/unknown", ...call(`https://localhost:${unknown.port}/`) },
      unknownTaken: { uri: "/unknown-taken", ...call(`https://localhost:${unknown.port}/`, { ssl_verify: false }) },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const resource of [recorder, trusted, misnamed, unknown, directory]) await resource[Symbol.asyncDispose]();
  });
  beforeEach(() => recorder.reset());

  it.each([
    ["204 No Content", 204],
    ["404 Not Found", 404],
    ["418 Whatever", 418],
    ["500 Oops", 500],
    ["599 Odd", 599],
  ])("is the status %s", async (status, code) => {
    recorder.answerWith(status.startsWith("204") ? `HTTP/1.1 ${status}\r\n\r\n` : answer(status, [], "body"));
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(response.status).toBe(code);
    expect(response.body).toBe(code === 204 ? "" : "body");
  });

  it("is a redirect as it stands", async () => {
    recorder.answerWith(answer("302 Found", ["Location: next?a=b"], "moved"));
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(response.status).toBe(302);
    expect(valuesOf(response, "location")).toEqual(["next?a=b"]);
    expect(recorder.requests).toHaveLength(1);
  });

  it("is no field of the function's connection", async () => {
    const hop = ["Connection: keep-alive", "Keep-Alive: timeout=77", "Proxy-Connection: x", "Upgrade: h2c"];
    recorder.answerWith(answer("200 OK", [...hop, "X-Kept: 1"], "ok"));
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(valuesOf(response, "x-kept")).toEqual(["1"]);
    expect(valuesOf(response, "proxy-connection")).toEqual([]);
    expect(valuesOf(response, "upgrade")).toEqual([]);
    expect(valuesOf(response, "keep-alive")).not.toContain("timeout=77");
  });

  it("is every other field, repeats and empty values included", async () => {
    const fields = [
      "Set-Cookie: a=1",
      "Set-Cookie: b=2",
      "Date: Thu, 01 Jan 1970 00:00:00 GMT",
      'ETag: "1"',
      "X-Empty: ",
      "WWW-Authenticate: Basic",
      "Content-Type: application/json",
    ];
    recorder.answerWith(answer("200 OK", [...fields, "Server: fn"], "{}"));
    const response = await exchange(gateway.port, { target: "/fn", fields: ['If-None-Match: "1"'] });
    expect(response.status).toBe(200);
    expect(valuesOf(response, "set-cookie")).toEqual(["a=1", "b=2"]);
    expect(valuesOf(response, "date")).toEqual(["Thu, 01 Jan 1970 00:00:00 GMT"]);
    expect(valuesOf(response, "x-empty")).toEqual([""]);
    expect(valuesOf(response, "www-authenticate")).toEqual(["Basic"]);
    expect(valuesOf(response, "content-type")).toEqual(["application/json"]);
    expect(valuesOf(response, "x-apisix-upstream-status")).toEqual([]);
  });

  it("is its exact bytes, compressed or not", async () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
    recorder.answerWith(answer("200 OK", ["Content-Encoding: br"], bytes));
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(response.body).toBe(bytes);
    expect(valuesOf(response, "content-encoding")).toEqual(["br"]);
    expect(valuesOf(response, "content-length")).toEqual(["256"]);
  });

  it("is headers only for HEAD, the function's Content-Length among them", async () => {
    recorder.answerWith("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    const response = await exchange(gateway.port, { method: "HEAD", target: "/fn" });
    expect(response.status).toBe(200);
    expect(valuesOf(response, "content-length")).toEqual(["1234"]);
    expect(response.body).toBe("");
  });

  it.each(["204 No Content", "304 Not Modified"])("is headers only for %s", async (status) => {
    recorder.answerWith(`HTTP/1.1 ${status}\r\nETag: "1"\r\n\r\n`);
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(response.statusLine).toMatch(`HTTP/1.1 ${status.slice(0, 3)}`);
    expect(valuesOf(response, "etag")).toEqual(['"1"']);
    expect(response.body).toBe("");
  });

  it.each(["404 Not Found", "500 Internal Server Error", "503 Busy"])("is empty for an empty %s", async (status) => {
    recorder.answerWith(answer(status, []));
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(response.status).toBe(Number(status.slice(0, 3)));
    expect(response.body).toBe("");
  });

  it("is the final answer after an interim one", async () => {
    recorder.answerWith(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${answer("200 OK", [], "final")}`);
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(response.status).toBe(200);
    expect(response.body).toBe("final");
  });

  it.each(["refused", "unresolved", "ftp", "empty", "userinfo"])(
    "is a 503 that names neither host nor system error when the address is %s",
    async (path) => {
      const response = await exchange(gateway.port, { target: `/${path}` });
      expect(response.status).toBe(503);
      expect(response.body).not.toMatch(/ECONN|ENOTFOUND|getaddrinfo|127\.0\.0\.1|no-such-host|ftp|secret-word/);
      expect(recorder.requests).toEqual([]);
    },
  );

  it("never writes what stood before the @ of an address to the log", async () => {
    await exchange(gateway.port, { target: "/userinfo" });
    expect(gateway.dataPlane.transcript).not.toContain("secret-word");
  });

  it.each([
    ["is no HTTP", "nonsense\r\n\r\n"],
    ["breaks off in its head", "HTTP/1.1 200 OK\r\nX-A"],
  ])("is a 503 when the answer %s", async (_, bytes) => {
    recorder.answerWith((_request, socket) => void socket.end(bytes));
    expect((await exchange(gateway.port, { target: "/fn" })).status).toBe(503);
  });

  it("is a 503, and no second call, when the function hangs up without a word", async () => {
    recorder.answerWith((_request, socket) => void socket.destroy());
    expect((await exchange(gateway.port, { target: "/fn" })).status).toBe(503);
    expect(recorder.requests).toHaveLength(1);
  });

  it("is cut off when the function breaks off in the middle of its body", async () => {
    recorder.answerWith((_request, socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    const response = await exchange(gateway.port, { target: "/fn" });
    expect(response.body.length).toBeLessThan(10);
  });

  it("is nobody's business once the client has gone, even before an answer began", async () => {
    recorder.answerWith(() => {});
    await using client = await rawClient(gateway.port);
    client.send(requestText({ target: "/patient" }));
    await recorder.request();
    const closed = recorder.closedConnections;
    client.abort();
    await eventually(() => recorder.closedConnections > closed);
  });

  it("is nobody's business once the client has gone in the middle of its body", async () => {
    await using client = await rawClient(gateway.port);
    client.send(requestText({ method: "POST", target: "/patient", fields: ["Content-Length: 10"], body: "half" }));
    await eventually(() => recorder.received.endsWith("half"));
    const closed = recorder.closedConnections;
    client.abort();
    await eventually(() => recorder.closedConnections > closed);
    expect(recorder.requests).toEqual([]);
  });

  it("follows a body that streams: the function has its beginning before its end was sent", async () => {
    await using client = await rawClient(gateway.port);
    client.send(requestText({ method: "POST", target: "/patient", fields: ["Content-Length: 10"], body: "begin" }));
    await eventually(() => recorder.received.endsWith("begin"));
    client.send("n ing");
    expect(await client.untilClosed()).toContain("HTTP/1.1 200 OK");
    expect(recorder.requests[0]?.body).toBe("beginn ing");
  });

  it("comes for a POST too after the function dropped the idle connection", async () => {
    recorder.answerWith((_request, socket) => void socket.end(answer("200 OK", [], "ok")));
    const closed = recorder.closedConnections;
    await exchange(gateway.port, { target: "/pool" });
    await eventually(() => recorder.closedConnections > closed);
    expect((await exchange(gateway.port, { method: "POST", target: "/pool" })).status).toBe(200);
  });

  it("is a 503 when the function is silent for longer than the timeout", async () => {
    recorder.answerWith(() => {});
    expect((await exchange(gateway.port, { target: "/quick" })).status).toBe(503);
  });

  it("is complete when the function takes longer than the timeout but is never silent for so long", async () => {
    recorder.answerWith((_request, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
      let sent = 0;
      const timer = setInterval(() => {
        socket.write("x");
        sent += 1;
        if (sent === 6) clearInterval(timer);
      }, 100);
    });
    expect((await exchange(gateway.port, { target: "/quick" })).body).toBe("xxxxxx");
  });

  it("comes over a connection that is kept", async () => {
    for (let round = 0; round < 3; round += 1) await exchange(gateway.port, { target: "/pool" });
    expect(new Set(recorder.requests.map((request) => request.connection)).size).toBe(1);
  });

  it("comes over a connection of its own without keepalive", async () => {
    for (let round = 0; round < 3; round += 1) await exchange(gateway.port, { target: "/single" });
    expect(new Set(recorder.requests.map((request) => request.connection)).size).toBe(3);
  });

  it("leaves keepalive_pool idle connections behind, for keepalive_timeout", async () => {
    await using own = await startRecorder();
    const held: Socket[] = [];
    own.answerWith((_request, socket) => void held.push(socket));
    const function_uri = `http://127.0.0.1:${own.port}/`;
    const openfunction = { function_uri, keepalive_pool: 2, keepalive_timeout: 3000 };
    await gateway.route({ capped: { uri: "/capped", plugins: { openfunction } } });
    const answers = Array.from({ length: 5 }, () => exchange(gateway.port, { target: "/capped" }));
    await eventually(() => held.length === 5);
    for (const socket of held) socket.write(answer("200 OK", [], "ok"));
    await Promise.all(answers);
    await eventually(() => own.closedConnections === 3);
    await eventually(() => own.closedConnections === 5);
    expect(own.connections).toBe(5);
  });

  it("comes over a new connection after the function said close", async () => {
    recorder.answerWith((_request, socket) => void socket.end(answer("200 OK", ["Connection: close"], "ok")));
    await exchange(gateway.port, { target: "/pool" });
    await exchange(gateway.port, { target: "/pool" });
    expect(recorder.requests[0]?.connection).not.toBe(recorder.requests[1]?.connection);
  });

  it.each([
    ["trusted", 200],
    ["trusted-address", 200],
    ["misnamed", 503],
    ["misnamed-taken", 200],
    ["unknown", 503],
    ["unknown-taken", 200],
  ])("depends on the certificate: %s gives %i", async (path, status) => {
    expect((await exchange(gateway.port, { target: `/${path}` })).status).toBe(status);
  });
});

import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { beforeAll, expect, test } from "vitest";
import { createCertificates, type TestCertificates } from "../testing/certificates.ts";
import { reasonIn, TestConnections } from "../testing/exchange-fixture.ts";
import { answering, startRawServer } from "../testing/raw-server.ts";

let certificates: TestCertificates;

beforeAll(async () => {
  certificates = await createCertificates();
});

test("a certificate of a given authority for the right name is accepted", async () => {
  await using upstream = await startEchoUpstream({ tls: certificates.server });
  await using connections = new TestConnections({ caCertificates: [certificates.ca] });
  const endpoint = connections.endpoint(upstream.port, {
    scheme: "https",
    tls: { serverName: "function.test", verify: true },
  });
  expect(await connections.send(endpoint).outcome).toEqual({ kind: "responded", status: 200 });
  await connections.send(endpoint, { headers: ["Host", "other.test"] }).outcome;
  expect(upstream.connections).toBe(1);
});

test("without a name the host is checked, an address included", async () => {
  await using upstream = await startEchoUpstream({ tls: certificates.server });
  await using connections = new TestConnections({ caCertificates: [certificates.ca] });
  const endpoint = connections.endpoint(upstream.port, { scheme: "https", tls: { verify: true } });
  expect(await connections.send(endpoint).outcome).toEqual({ kind: "responded", status: 200 });
});

test.each([
  { name: "an unknown authority", trusts: false, serverName: "function.test" },
  { name: "a wrong name", trusts: true, serverName: "elsewhere.test" },
])("$name is refused before anything is sent", async ({ trusts, serverName }) => {
  await using upstream = await startEchoUpstream({ tls: certificates.server });
  await using connections = new TestConnections(trusts ? { caCertificates: [certificates.ca] } : {});
  const endpoint = connections.endpoint(upstream.port, { scheme: "https", tls: { serverName, verify: true } });
  const outcome = await connections.send(endpoint).outcome;
  expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "tls", isUnsent: true } });
  expect(upstream.started).toBe(0);
  await eventually(() => connections.manager.stats.open === 0);
});

test("verification is on unless it is switched off", async () => {
  await using upstream = await startEchoUpstream({ tls: certificates.server });
  await using connections = new TestConnections();
  expect(reasonIn(await connections.send(connections.endpoint(upstream.port, { scheme: "https" })).outcome)).toBe(
    "tls",
  );
  const unverified = connections.endpoint(upstream.port, { scheme: "https", tls: { verify: false } });
  expect(await connections.send(unverified).outcome).toEqual({ kind: "responded", status: 200 });
});

test("the server name is sent although verification is off", async () => {
  const names: (string | false | null)[] = [];
  const server = createTlsServer(certificates.server, (socket: TLSSocket & { servername?: string | false | null }) => {
    names.push(socket.servername ?? null);
    socket.on("error", () => undefined);
    socket.on("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await using connections = new TestConnections();
  const { port } = server.address() as AddressInfo;
  const tls = { serverName: "anything.test", verify: false };
  await connections.send(connections.endpoint(port, { scheme: "https", tls })).outcome;
  expect(names).toEqual(["anything.test"]);
  server.close();
});

test("a client certificate is presented", async () => {
  await using upstream = await startEchoUpstream({ tls: { ...certificates.server, ca: certificates.ca } });
  await using connections = new TestConnections({ caCertificates: [certificates.ca] });
  const tls = { serverName: "localhost", verify: true };
  const withCertificate = connections.endpoint(upstream.port, {
    scheme: "https",
    tls: { ...tls, ...certificates.client },
  });
  expect(await connections.send(withCertificate).outcome).toEqual({ kind: "responded", status: 200 });
  const without = await connections.send(connections.endpoint(upstream.port, { scheme: "https", tls })).outcome;
  expect(without.kind).toBe("failed");
});

test("a client certificate that cannot be read fails the attempt", async () => {
  await using upstream = await startEchoUpstream({ tls: certificates.server });
  await using connections = new TestConnections();
  const tls = {
    verify: false,
    cert: "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
    key: "nonsense",
  };
  const outcome = await connections.send(connections.endpoint(upstream.port, { scheme: "https", tls })).outcome;
  expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "tls", isUnsent: true } });
});

test("a plain server behind https is a handshake failure", async () => {
  await using server = await startRawServer((connection) =>
    connection.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
  );
  await using connections = new TestConnections();
  const endpoint = connections.endpoint(server.port, { scheme: "https" });
  expect(await connections.send(endpoint).outcome).toMatchObject({
    kind: "failed",
    failure: { reason: "tls", isUnsent: true },
  });
});

test("a TLS server behind http is a bad response", async () => {
  await using upstream = await startEchoUpstream({ tls: certificates.server });
  await using connections = new TestConnections();
  const outcome = await connections.send(connections.endpoint(upstream.port)).outcome;
  expect(outcome.kind).toBe("failed");
  await eventually(() => connections.manager.stats.open === 0);
});

test("the connect limit covers the handshake", async () => {
  const server = createTcpServer((socket) => socket.on("error", () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await using connections = new TestConnections();
  const { port } = server.address() as AddressInfo;
  const endpoint = connections.endpoint(port, { scheme: "https", timeouts: { connectMs: 100 } });
  const started = performance.now();
  const outcome = await connections.send(endpoint).outcome;
  expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "connect-timeout", isUnsent: true } });
  expect(performance.now() - started).toBeGreaterThanOrEqual(100);
  await eventually(() => connections.manager.stats.open === 0);
  server.close();
});

test("connections with and without verification are not shared", async () => {
  await using server = await startRawServer(answering("HTTP/1.1 204 No Content\r\n\r\n"));
  await using connections = new TestConnections();
  connections.endpoint(server.port, { scheme: "https", tls: { verify: false } });
  connections.endpoint(server.port, { scheme: "https", tls: { verify: true } });
  connections.endpoint(server.port, { scheme: "https", tls: { verify: true, serverName: "a.test" } });
  connections.endpoint(server.port, { scheme: "https", tls: { verify: true, ...certificates.client } });
  expect(connections.manager.stats.pools).toBe(4);
});

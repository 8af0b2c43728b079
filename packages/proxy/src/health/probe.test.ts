import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext } from "node:tls";
import { startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { createCertificates } from "../testing/certificates.ts";
import { answering, startRawServer, unusedPort } from "../testing/raw-server.ts";
import type { ActiveConfig } from "./check-config.ts";
import { compileChecks } from "./check-settings.ts";
import { createProbe, type Observation } from "./probe.ts";

const LIVE = new AbortController().signal;

function probe(port: number, active: ActiveConfig = {}, ca?: string): Promise<Observation | undefined> {
  const context = ca === undefined ? undefined : createSecureContext({ ca });
  const target = { ip: "127.0.0.1", port, hostHeader: "function.test" };
  return createProbe(() => context)(target, compileChecks({ active }).probe, LIVE);
}

test("an http probe sends its method, path, fields and body, and reports the status", async () => {
  await using server = await startEchoUpstream({ reply: { status: 418 } });
  const active = {
    http_method: "POST",
    http_path: "/up?x=1",
    http_req_body: "hi",
    req_headers: ["X-A: b: c", "nonsense"],
  };
  expect(await probe(server.port, active)).toEqual({ kind: "status", status: 418 });
  const [request] = server.requests;
  expect(request).toMatchObject({
    method: "POST",
    url: "/up?x=1",
    headers: { host: "function.test", connection: "close", "x-a": "b: c", "content-length": "2" },
  });
  expect(request?.body.toString()).toBe("hi");
});

test("a Host among the fields replaces the node's", async () => {
  await using server = await startEchoUpstream();
  await probe(server.port, { req_headers: ["Host: other.test"] });
  expect(server.requests[0]?.headers.host).toBe("other.test");
});

test.each<{ type: "http" | "https" | "tcp" }>([{ type: "http" }, { type: "https" }, { type: "tcp" }])(
  "a refused $type probe is a failure of the connection",
  async ({ type }) => {
    expect(await probe(await unusedPort(), { type })).toEqual({ kind: "failed", failure: "tcp" });
  },
);

test("a connection that is closed without an answer is a failure of the connection", async () => {
  await using server = await startRawServer(({ socket }) => socket.destroy());
  expect(await probe(server.port)).toEqual({ kind: "failed", failure: "tcp" });
});

test("a limit that is longer than a timer can wait ends no probe at once", async () => {
  await using server = await startRawServer(({ socket }) => void setTimeout(() => socket.destroy(), 20));
  expect(await probe(server.port, { timeout: 10_000_000 })).toEqual({ kind: "failed", failure: "tcp" });
});

test("an answer that is no HTTP is a failure of the answer", async () => {
  await using server = await startRawServer(answering("nonsense\r\n\r\n"));
  expect(await probe(server.port)).toEqual({ kind: "failed", failure: "http" });
});

test("a server that stays silent times out, and the probe's connection is gone", async () => {
  await using server = await startRawServer(() => undefined);
  expect(await probe(server.port, { timeout: 0.05 })).toEqual({ kind: "failed", failure: "timeout" });
  await expect.poll(() => server.openCount).toBe(0);
});

test("a tcp probe is content with a connection", async () => {
  await using server = await startRawServer(() => undefined);
  expect(await probe(server.port, { type: "tcp" })).toEqual({ kind: "connected" });
  await expect.poll(() => server.openCount).toBe(0);
});

test("a request that cannot be sent is a failure of the answer", async () => {
  await using server = await startEchoUpstream();
  expect(await probe(server.port, { http_path: "/a b" })).toEqual({ kind: "failed", failure: "http" });
  expect(server.requests).toHaveLength(0);
});

test("an https probe checks the certificate against the node's name unless told not to", async () => {
  const certificates = await createCertificates();
  const names: (string | false | undefined)[] = [];
  const server = createServer(certificates.server, (request, response) => {
    names.push("servername" in request.socket ? (request.socket.servername as string) : undefined);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const trusted = await probe(port, { type: "https" }, certificates.ca);
  const untrusted = await probe(port, { type: "https" });
  const unchecked = await probe(port, { type: "https", https_verify_certificate: false });
  await new Promise((resolve) => server.close(resolve));
  expect(trusted).toEqual({ kind: "status", status: 200 });
  expect(untrusted).toEqual({ kind: "failed", failure: "tcp" });
  expect(unchecked).toEqual({ kind: "status", status: 200 });
  expect(names).toEqual(["function.test", "function.test"]);
});

test("an aborted probe saw nothing", async () => {
  await using server = await startRawServer(() => undefined);
  const stopping = new AbortController();
  const target = { ip: "127.0.0.1", port: server.port, hostHeader: "a" };
  const seen = createProbe(() => undefined)(target, compileChecks({ active: { timeout: 60 } }).probe, stopping.signal);
  stopping.abort();
  expect(await seen).toBeUndefined();
});

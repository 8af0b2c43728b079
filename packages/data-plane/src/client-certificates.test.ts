import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { definePlugin } from "@fngate/plugin-kit";
import { type Certificates, createCertificates } from "@fngate/test-kit";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, type RunningPlane, startPlane } from "./testing/running-plane.ts";

let trusted: Certificates;
let others: Certificates;

beforeAll(async () => {
  [trusted, others] = await Promise.all([createCertificates(), createCertificates()]);
});

/** Answers with the subject of the client's certificate, and talks to nobody without one of its authority's. */
async function startStrictServer() {
  const server = createServer(
    { ...trusted.server, ca: trusted.ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => response.end((request.socket as TLSSocket).getPeerCertificate().subject.O),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    upstream: { scheme: "https", nodes: { [`127.0.0.1:${port}`]: 1 }, tls: { client_cert_id: "c" } },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const clientSsl = ({ client }: Certificates) => ({ type: "client", ...client });

function missing(plane: RunningPlane) {
  return plane.plane.diagnostics.map(({ kind, id, code, path, message }) => ({ kind, id, code, path, message }));
}

describe("tls.client_cert_id", () => {
  test("shows the certificate of the ssl object, and follows it when it comes, changes and goes", async () => {
    await using server = await startStrictServer();
    await using plane = await startPlane();
    await plane.put("upstreams/u", server.upstream);
    await plane.put("routes/1", { uri: "/x", upstream_id: "u" });
    const isMissing = { kind: "upstream", id: "u", code: "MISSING_REFERENCE", path: "tls.client_cert_id" };
    expect(missing(plane)).toEqual([{ ...isMissing, message: "the client certificate ssl/c is not there" }]);
    expect((await plane.send("/x")).status).toBe(502);

    await plane.put("ssls/c", clientSsl(trusted));
    expect(missing(plane)).toEqual([]);
    expect(await plane.send("/x")).toMatchObject({ status: 200, body: "fngate client" });

    await plane.put("ssls/c", clientSsl(others));
    expect(await plane.send("/x")).toMatchObject({ status: 502, body: expect.stringContaining('"reason":"') });
    await plane.put("ssls/c", clientSsl(trusted));
    expect((await plane.send("/x")).status).toBe(200);

    await plane.put("ssls/c", { sni: "a.com", ...trusted.client });
    expect(missing(plane)).toEqual([{ ...isMissing, message: expect.stringContaining("a server's") }]);
    expect((await plane.send("/x")).status).toBe(502);
    await plane.remove("ssls/c");
    expect(missing(plane)).toEqual([{ ...isMissing, message: expect.stringContaining("not there") }]);
    await plane.remove("upstreams/u");
    expect(missing(plane)).toEqual([]);
  });

  test("is followed by upstreams inside routes and services, under a route's own timeout too", async () => {
    await using server = await startStrictServer();
    await using plane = await startPlane();
    const { upstream } = server;
    const timeout = { connect: 5, send: 5, read: 5 };
    await plane.put("services/s", { upstream });
    await plane.put("routes/1", { uri: "/own", timeout, upstream });
    await plane.put("routes/2", { uri: "/service", service_id: "s" });
    await plane.put("routes/3", { uri: "/timed", service_id: "s", timeout });
    expect(missing(plane)).toMatchObject([
      { kind: "service", id: "s", path: "upstream.tls.client_cert_id" },
      { kind: "route", id: "1", path: "upstream.tls.client_cert_id" },
    ]);
    await plane.put("ssls/c", clientSsl(trusted));
    expect(missing(plane)).toEqual([]);
    for (const path of ["/own", "/service", "/timed"]) expect((await plane.send(path)).body).toBe("fngate client");
  });

  test("is followed by an upstream that a plugin chooses", async () => {
    await using server = await startStrictServer();
    const choose = definePlugin({
      name: "choose",
      version: 0.1,
      priority: 1,
      schema: z.looseObject({}),
      setup: (_config, { upstreams }) => {
        const inline = upstreams.compile(server.upstream);
        return {
          access: ({ request, upstream }) => {
            upstream.use(request.path === "/named" ? "u" : inline);
          },
          dispose: () => inline.release(),
        };
      },
    });
    await using plane = await startPlane({ catalog: catalogWith(choose) });
    await plane.put("upstreams/u", server.upstream);
    await plane.put("routes/1", { uri: "/*", plugins: { choose: {} } });
    expect((await plane.send("/named")).status).toBe(502);
    expect((await plane.send("/inline")).status).toBe(502);
    await plane.put("ssls/c", clientSsl(trusted));
    expect((await plane.send("/named")).body).toBe("fngate client");
    expect((await plane.send("/inline")).body).toBe("fngate client");
  });
});

describe("a client certificate that cannot be read", () => {
  const unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(4);

  test.each([
    { part: "cert", change: { cert: unreadable } },
    { part: "key", change: { key: unreadable } },
    { part: "key", change: { key: "QUJD".repeat(40) } },
    { part: "cert", change: { cert: `$secret://vault/1/${"x".repeat(128)}` } },
  ])("is told about with its upstream, whose requests get 503: $part", async ({ part, change }) => {
    const { cert, key } = { ...trusted.client, ...change };
    await using plane = await startPlane();
    const upstream = { nodes: { "127.0.0.1:1": 1 }, tls: { client_cert: cert, client_key: key } };
    await plane.put("routes/1", { uri: "/x", upstream: { ...upstream, scheme: "https" } });
    expect(missing(plane)).toMatchObject([
      { kind: "route", id: "1", code: "INVALID_CERTIFICATE", path: `upstream.tls.client_${part}` },
    ]);
    expect(await plane.send("/x")).toMatchObject({ status: 503 });
    expect((await plane.send("/x")).headers).not.toHaveProperty("x-apisix-upstream-status");
    // Nobody is shown a certificate without TLS.
    await plane.put("routes/1", { uri: "/x", upstream });
    expect(await plane.send("/x")).toMatchObject({ status: 502, headers: { "x-apisix-upstream-status": "502" } });
  });

  test("of an object makes its upstreams' requests 503, unless there was a version before that can be", async () => {
    await using server = await startStrictServer();
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", upstream: server.upstream });
    await plane.put("ssls/c", { ...clientSsl(trusted), cert: unreadable });
    expect((await plane.send("/x")).status).toBe(503);
    await plane.put("ssls/c", clientSsl(trusted));
    expect((await plane.send("/x")).status).toBe(200);
    await plane.put("ssls/c", { ...clientSsl(trusted), cert: unreadable });
    expect((await plane.send("/x")).status).toBe(200);
    await plane.remove("ssls/c");
    expect((await plane.send("/x")).status).toBe(502);
  });
});

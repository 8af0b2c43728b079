import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import { type Certificates, createCertificates } from "@fngate/test-kit";
import { beforeAll, expect, it } from "vitest";
import { ADMIN_KEY, AdminHarness } from "./testing/admin-harness.ts";

let own: Certificates;
let foreign: Certificates;
beforeAll(async () => {
  [own, foreign] = await Promise.all([createCertificates(), createCertificates()]);
});

function get(port: number, tls: RequestOptions): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "X-API-KEY": ADMIN_KEY };
    httpsRequest({ host: "127.0.0.1", port, path: "/apisix/admin/routes", headers, agent: false, ...tls })
      .once("response", (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      })
      .once("error", reject)
      .end();
  });
}

it("speaks TLS, and only that, with a certificate of its own", async () => {
  await using admin = await AdminHarness.start({ tls: own.server });
  expect(await get(admin.port, { ca: own.ca })).toMatchObject({ status: 200 });
  const plain = new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port: admin.port, agent: false })
      .once("response", resolve)
      .once("error", reject)
      .end();
  });
  await expect(plain).rejects.toThrow();
});

it("asks for a client certificate when it has an authority for them", async () => {
  await using admin = await AdminHarness.start({ tls: { ...own.server, ca: own.ca } });
  expect(await get(admin.port, { ca: own.ca, ...own.client })).toMatchObject({ status: 200 });
});

it("answers 400 to a client without certificate, and to one of another authority", async () => {
  await using admin = await AdminHarness.start({ tls: { ...own.server, ca: own.ca } });
  expect(await get(admin.port, { ca: own.ca })).toEqual({
    status: 400,
    body: "No required SSL certificate was sent\n",
  });
  expect(await get(admin.port, { ca: own.ca, ...foreign.client })).toEqual({
    status: 400,
    body: "The SSL certificate error\n",
  });
});

it("refuses certificates that it cannot use, before it listens", () => {
  expect(() => new AdminHarness({ tls: { cert: "nonsense", key: "nonsense" } })).toThrow(/admin_api_mtls/);
});

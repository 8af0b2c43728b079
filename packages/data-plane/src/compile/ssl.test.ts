import { createKeyring, encryptPrivateKeys } from "@fngate/schema";
import { type Certificates, createCertificates } from "@fngate/test-kit";
import { beforeAll, expect, test } from "vitest";
import { type RunningPlane, startPlane } from "../testing/running-plane.ts";

const KEYRING = ["qeddd145sfvddff3"];

let made: Certificates;
let others: Certificates;

beforeAll(async () => {
  [made, others] = await Promise.all([createCertificates(), createCertificates()]);
});

async function findingsOf(plane: RunningPlane, value: unknown) {
  await plane.put("ssls/1", value);
  return plane.plane.diagnostics.map(({ kind, severity, code, path, message }) => ({
    ...{ kind, severity, code, path, message },
  }));
}

test("a certificate whose private key is stored encrypted is taken", async () => {
  await using plane = await startPlane({ keyring: KEYRING });
  const ssl = { sni: "a.com", cert: made.server.cert, key: made.server.key, keys: [], certs: [] };
  expect(await findingsOf(plane, encryptPrivateKeys(ssl, ["key"], createKeyring(KEYRING)))).toEqual([]);
});

test("certificate and key may refer to the environment", async () => {
  const environment = { TLS_CERT: made.server.cert, TLS_KEY: made.server.key };
  await using plane = await startPlane({ environment });
  expect(await findingsOf(plane, { sni: "a.com", cert: "$env://TLS_CERT", key: "$ENV://TLS_KEY" })).toEqual([]);
});

test.each([
  { title: "that is no certificate", change: () => ({ cert: "x".repeat(200) }), path: "cert" },
  { title: "whose key nothing decrypts", change: () => ({ key: "QUJD".repeat(40) }), path: "key" },
  { title: "whose key cannot be read", change: () => ({ key: `-----BEGIN KEY-----${"x".repeat(99)}` }), path: "key" },
  { title: "whose key is another's", change: () => ({ key: others.server.key }), path: "key" },
  {
    title: "with a bad second pair",
    change: () => ({ certs: [made.client.cert], keys: [made.server.key] }),
    path: "keys.0",
  },
  { title: "with fewer keys than certs", change: () => ({ certs: [made.client.cert], keys: [] }), path: "certs" },
  { title: "with a bad authority", change: () => ({ client: { ca: "x".repeat(200) } }), path: "client.ca" },
])("a certificate object $title is not in use, and says so without its key", async ({ change, path }) => {
  await using plane = await startPlane();
  const { cert, key } = made.server;
  const findings = await findingsOf(plane, { sni: "a.com", cert, key, ...change() });
  expect(findings).toEqual([
    expect.objectContaining({ kind: "ssl", severity: "error", code: "INVALID_CERTIFICATE", path }),
  ]);
  const [secret] = key.split("\n").slice(1);
  expect(JSON.stringify([plane.lines, plane.plane.diagnostics])).not.toContain(secret);
});

test("a certificate that has ended is in use all the same, and told of until one takes its place", async () => {
  await using plane = await startPlane();
  const { cert, key } = (await createCertificates({ isServerExpired: true })).server;
  const pairs = { sni: "a.com", ...made.server, certs: [cert], keys: [key] };
  expect(await findingsOf(plane, pairs)).toEqual([
    expect.objectContaining({ kind: "ssl", severity: "warning", code: "EXPIRED_CERTIFICATE", path: "certs.0" }),
  ]);
  expect(plane.lines).toContainEqual(
    expect.objectContaining({ level: "warn", message: "certificate is served although it has ended" }),
  );
  expect(await findingsOf(plane, { sni: "a.com", ...made.server })).toEqual([]);
});

test("a regular expression that cannot be run is named, and the object stays in use", async () => {
  await using plane = await startPlane();
  const { cert, key } = made.server;
  const client = { ca: made.ca, skip_mtls_uri_regex: ["^/a", "(?=look)"] };
  expect(await findingsOf(plane, { sni: "a.com", cert, key, client })).toEqual([
    expect.objectContaining({ severity: "warning", path: "client.skip_mtls_uri_regex.1" }),
  ]);
});

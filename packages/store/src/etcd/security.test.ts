import { GatewayError } from "@fngate/kernel";
import { type Certificates, createCertificates, type EtcdProcess, eventually, startEtcd } from "@fngate/test-kit";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { ConfigStore } from "../index.ts";
import { type EtcdStoreOptions, openEtcdStore } from "./index.ts";
import { runToEnd } from "./run-to-end.fixture.ts";

const PASSWORD = "hush-hush";

/** Not what the endpoint is called by, so that every check of the name shows. */
const SERVER_NAME = "etcd.test";

let certificates: Certificates;
let strangers: Certificates;
let etcd: EtcdProcess;
const opened: ConfigStore[] = [];

beforeAll(async () => {
  certificates = await createCertificates({ names: [SERVER_NAME] });
  strangers = await createCertificates({ names: [SERVER_NAME] });
  etcd = await startEtcd({ tls: certificates, auth: { user: "gateway", password: PASSWORD } });
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
});

function open(change: Partial<EtcdStoreOptions> = {}): ConfigStore {
  const login = { user: "gateway", password: PASSWORD };
  const store = openEtcdStore({ hosts: [etcd.url], timeoutMs: 5_000, ...login, tls: trusting(), ...change });
  opened.push(store);
  return store;
}

function trusting() {
  return { ca: certificates.ca, ...certificates.client, verify: true, serverName: SERVER_NAME };
}

async function failureOf(call: Promise<unknown>): Promise<GatewayError> {
  const failure = await call.then(
    () => undefined,
    (error) => error,
  );
  if (failure instanceof GatewayError) return failure;
  throw new Error("the call did not fail as expected", { cause: failure });
}

async function expectWatch(store: ConfigStore): Promise<void> {
  const { revision } = await store.put("/secured", "1");
  await store.put("/secured", "2");
  const { signal } = new AbortController();
  for await (const { events } of store.watch("/secured", revision, { signal })) {
    expect(events).toMatchObject([{ entry: { value: "2" } }]);
    break;
  }
}

it("works with a login, an authority, a client certificate and another server name", async () => {
  const store = open();
  await expectWatch(store);
  expect((await store.get("/secured"))?.value).toBe("2");
});

it("checks an endpoint without a name by its address", async () => {
  const named = await createCertificates({ names: ["127.0.0.1"] });
  await using other = await startEtcd({ tls: named });
  const store = openEtcdStore({
    hosts: [other.url],
    timeoutMs: 5_000,
    tls: { ca: named.ca, ...named.client, verify: true },
  });
  opened.push(store);
  await expectWatch(store);
});

it("logs in again after etcd has forgotten the login", async () => {
  const store = open();
  await expectWatch(store);
  await etcd.restart();
  await eventually(() => store.get("/secured"));
  await expectWatch(store);
});

it("names the user and never the password when the login is refused", async () => {
  const failure = await failureOf(open({ password: `${PASSWORD}-not` }).get("/secured"));
  expect(failure.code).toBe("STORE_UNAVAILABLE");
  expect(failure.message).toContain('refuses user "gateway"');
  expect(JSON.stringify([failure.message, failure.details, String(failure.cause)])).not.toContain(PASSWORD);
});

it("says so when etcd wants a login and none is configured", async () => {
  const { hosts, timeoutMs, tls } = { hosts: [etcd.url], timeoutMs: 5_000, tls: trusting() };
  const store = openEtcdStore({ hosts, timeoutMs, tls });
  opened.push(store);
  const failure = await failureOf(store.put("/secured", "3"));
  expect(failure).toMatchObject({
    code: "STORE_UNAVAILABLE",
    message: expect.stringContaining("refuses calls without a user"),
  });
});

it("lets the process end after close", async () => {
  const login = { user: "gateway", password: PASSWORD };
  expect(await runToEnd({ hosts: [etcd.url], timeoutMs: 5_000, ...login, tls: trusting() })).toBe("answered");
});

it("refuses a server of an unknown authority", async () => {
  const failure = await failureOf(open({ tls: { ...trusting(), ca: strangers.ca } }).get("/secured"));
  expect(failure.code).toBe("STORE_UNAVAILABLE");
});

it("refuses a server whose certificate is for another name", async () => {
  const { serverName: _, ...unnamed } = trusting();
  expect((await failureOf(open({ tls: unnamed }).get("/secured"))).code).toBe("STORE_UNAVAILABLE");
});

it("takes any server when verification is off", async () => {
  await expectWatch(open({ tls: { ...strangers.client, ...certificates.client, verify: false } }));
});

it("is refused without a client certificate", async () => {
  const tls = { ca: certificates.ca, verify: true, serverName: SERVER_NAME };
  expect((await failureOf(open({ tls }).get("/secured"))).code).toBe("STORE_UNAVAILABLE");
});

it.each([
  ["a certificate without its key", { cert: "nothing" }],
  ["a key that is none", { cert: "nothing", key: "nothing" }],
])("refuses %s at once", (_title, part) => {
  const open = () => openEtcdStore({ hosts: [etcd.url], timeoutMs: 1_000, tls: { verify: true, ...part } });
  expect(open).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});

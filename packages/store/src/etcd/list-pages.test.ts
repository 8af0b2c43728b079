import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type EtcdProcess, startEtcd } from "@fngate/test-kit";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type ConfigStore, compareRevisions } from "../index.ts";
import { openEtcdStore } from "./index.ts";

/** More than two pages of 2000. */
const COUNT = 4_500;

/** With it every list asks for its second page; etcd's protocol carries keys as they are. */
const SECOND_PAGE = Buffer.concat([Buffer.from(keyOf(1_999)), Buffer.of(0)]);

let etcd: EtcdProcess;
const opened: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  etcd = await startEtcd();
  const puts = Array.from({ length: COUNT }, (_, index) => ({
    request_put: { key: base64(keyOf(index)), value: base64(`value of ${index}`) },
  }));
  // etcd takes 128 operations per transaction.
  for (let start = 0; start < COUNT; start += 100) {
    await etcd.call("kv/txn", { success: puts.slice(start, start + 100) });
  }
});

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
});

function keyOf(index: number): string {
  return `/pages/${String(index).padStart(5, "0")}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** A store on etcd behind a relay that lets `between` happen before every request for a second page. */
async function storeInterruptedBy(between: (times: number) => Promise<void>): Promise<ConfigStore> {
  const sockets = new Set<Socket>();
  let times = 0;
  const pass = async (near: Socket, far: Socket): Promise<void> => {
    for await (const data of near) {
      if (!Buffer.isBuffer(data)) continue;
      if (data.includes(SECOND_PAGE)) await between(++times);
      far.write(data);
    }
    far.end();
  };
  const server = createServer((near) => {
    const far = connect(etcd.port, "127.0.0.1");
    for (const socket of [near, far]) sockets.add(socket);
    far.on("data", (data) => near.write(data));
    far.on("error", () => near.destroy());
    pass(near, far).catch(() => far.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const store = openEtcdStore({ hosts: [`127.0.0.1:${port}`], timeoutMs: 10_000 });
  opened.push(async () => {
    await store.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return store;
}

it("lists all pages as of one revision, whatever is written between them", async () => {
  const store = await storeInterruptedBy(async () => {
    await etcd.call("kv/put", { key: base64(keyOf(COUNT)), value: base64("late") });
    await etcd.call("kv/deleterange", { key: base64(keyOf(3_000)) });
  });
  const { entries } = await store.list("/pages/");
  expect(entries.map(({ key }) => key)).toEqual(Array.from({ length: COUNT }, (_, index) => keyOf(index)));
  await etcd.call("kv/put", { key: base64(keyOf(3_000)), value: base64("back") });
  await etcd.call("kv/deleterange", { key: base64(keyOf(COUNT)) });
});

it("lists anew, at a newer revision, when a compaction falls between two pages", async () => {
  let listings = 0;
  const store = await storeInterruptedBy(async (times) => {
    listings = times;
    if (times === 1) await etcd.compact();
  });
  const before = await store.get(keyOf(0));
  const { entries, revision } = await store.list("/pages/");
  expect(listings).toBe(2);
  expect(entries.map(({ key }) => key)).toEqual(Array.from({ length: COUNT }, (_, index) => keyOf(index)));
  expect(before && compareRevisions(revision, before.modRevision)).toBeGreaterThan(0);
});

it("gives up when compactions keep falling between pages", async () => {
  let listings = 0;
  const store = await storeInterruptedBy(async (times) => {
    listings = times;
    await etcd.compact();
  });
  await expect(store.list("/pages/")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(listings).toBe(3);
});

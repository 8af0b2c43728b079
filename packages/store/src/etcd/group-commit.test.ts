import { GatewayError } from "@fngate/kernel";
import type { IResponseOp, ITxnRequest, ITxnResponse } from "etcd3";
import { expect, it } from "vitest";
import { GroupCommit, type KeyWrite } from "./group-commit.ts";

const header = { cluster_id: "1", member_id: "1", raft_term: "1", revision: "7" };
const value = Buffer.from("v");
const entry = { key: value, value, create_revision: "1", mod_revision: "1", version: "1", lease: "0" };

/** A nested transaction that held, with everything else that the wire's type has. */
const success: IResponseOp = {
  response_range: { header, kvs: [], more: false, count: "0" },
  response_put: { header, prev_kv: entry },
  response_delete_range: { header, deleted: "0", prev_kvs: [] },
  response_txn: { header, succeeded: true, responses: [] },
};

/** Requests that wait until the test answers them. */
class Held {
  readonly requests: ITxnRequest[] = [];
  readonly #pending: PromiseWithResolvers<ITxnResponse>[] = [];

  readonly commit = (request: ITxnRequest): Promise<ITxnResponse> => {
    const pending = Promise.withResolvers<ITxnResponse>();
    this.requests.push(request);
    this.#pending.push(pending);
    return pending.promise;
  };

  answer(): void {
    const operations = this.requests.at(-1)?.success ?? [];
    this.#pending.shift()?.resolve({ header, succeeded: true, responses: operations.map(() => success) });
  }

  refuse(error: unknown): void {
    this.#pending.shift()?.reject(error);
  }

  /** Keys of the request that came last. */
  get keys(): string[] {
    const [first, ...rest] = this.requests.at(-1)?.success ?? [];
    return [first, ...rest].map((operation) => {
      const put = operation?.request_put ?? operation?.request_txn?.success?.[0]?.request_put;
      return String(put?.key);
    });
  }
}

function write(key: string, { bytes = 1, signal }: Partial<KeyWrite> = {}): KeyWrite {
  const success = [{ request_put: { key: Buffer.from(key), value: Buffer.from("v") } }];
  return { key, request: { compare: [], success, failure: [] }, bytes, signal };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const down = new GatewayError("STORE_CLOSED", "the store is closed");
const refused = new GatewayError("STORE_UNAVAILABLE", "etcd refuses the call", { cause: new Error("too large") });

it("sends a single write as it is, and what comes meanwhile as one transaction", async () => {
  const held = new Held();
  const group = new GroupCommit(held.commit);
  const writes = ["a", "b", "c"].map((key) => group.submit(write(key)));
  expect(held.requests).toEqual([write("a").request]);
  held.answer();
  await settle();
  expect(held.keys).toEqual(["b", "c"]);
  held.answer();
  expect((await Promise.all(writes)).map(({ revision }) => revision)).toEqual(["7", "7", "7"]);
});

it("never sends a key twice in one transaction, and keeps the order of its writes", async () => {
  const held = new Held();
  const group = new GroupCommit(held.commit);
  const writes = ["first", "a", "b", "a", "a", "c"].map((key) => group.submit(write(key)));
  const sent: string[][] = [];
  for (let round = 0; round < 4; round += 1) {
    sent.push(held.keys);
    held.answer();
    await settle();
  }
  await Promise.all(writes);
  expect(sent).toEqual([["first"], ["a", "b", "c"], ["a"], ["a"]]);
});

it("bounds a transaction by operations and by bytes", async () => {
  const held = new Held();
  const group = new GroupCommit(held.commit);
  const names = Array.from({ length: 66 }, (_, index) => `k${index}`);
  const writes = [...names.map((key) => write(key)), write("large", { bytes: 600_000 }), write("small")].map((one) =>
    group.submit(one),
  );
  const sizes: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    sizes.push(held.keys.length);
    held.answer();
    await settle();
  }
  await Promise.all(writes);
  expect(sizes).toEqual([1, 64, 2, 1]);
});

it("finds out one by one which write of a refused transaction is to blame", async () => {
  const held = new Held();
  const group = new GroupCommit(held.commit);
  const settled = Promise.allSettled(["first", "good", "bad", "fine"].map((key) => group.submit(write(key))));
  held.answer();
  await settle();
  held.refuse(refused);
  await settle();
  for (const isGood of [true, false, true]) {
    if (isGood) held.answer();
    else held.refuse(refused);
    await settle();
  }
  expect((await settled).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
});

it("fails what waits along with a transaction that nobody answers, and goes on afterwards", async () => {
  const held = new Held();
  const group = new GroupCommit(held.commit);
  const writes = Promise.allSettled(["a", "b", "c"].map((key) => group.submit(write(key))));
  held.refuse(down);
  expect(await writes).toEqual(["a", "b", "c"].map(() => ({ status: "rejected", reason: down })));
  const next = group.submit(write("d"));
  held.answer();
  await expect(next).resolves.toMatchObject({ succeeded: true });
});

it("does not send a write that was given up while it waited", async () => {
  const held = new Held();
  const group = new GroupCommit(held.commit);
  const giveUp = new AbortController();
  const first = group.submit(write("a"));
  const given = group.submit(write("b", { signal: giveUp.signal }));
  const last = group.submit(write("c"));
  giveUp.abort();
  await expect(given).rejects.toMatchObject({ code: "STORE_ABORTED" });
  held.answer();
  await settle();
  expect(held.keys).toEqual(["c"]);
  held.answer();
  await Promise.all([first, last]);
});

it("does not send a write that was given up before it came", async () => {
  const held = new Held();
  const given = new GroupCommit(held.commit).submit(write("a", { signal: AbortSignal.abort() }));
  await expect(given).rejects.toMatchObject({ code: "STORE_ABORTED" });
  expect(held.requests).toEqual([]);
});

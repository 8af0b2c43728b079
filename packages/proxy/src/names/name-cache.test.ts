import { silentLogger } from "@fngate/kernel";
import { FakeClock } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { CachedName } from "./name-cache.ts";
import type { NameAnswer } from "./name-resolver.ts";

function setUp() {
  const clock = new FakeClock();
  let answer: NameAnswer | Error = new Error("nothing there");
  let asked = 0;
  const host = async (): Promise<NameAnswer> => {
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const name = new CachedName({ kind: "host", name: "a.test" }, { clock, logger: silentLogger, resolver: { host } });
  return {
    clock,
    name,
    asked: () => asked,
    answerWith: (...addresses: readonly string[]) => {
      answer = { ttlMs: 10_000, records: addresses.map((address) => ({ address, weight: 1, priority: 0 })) };
    },
    fail: () => {
      answer = new Error("server away");
    },
    addresses: () => name.records.map(({ address }) => address),
  };
}

test("the first use waits for an answer, later ones within its life do not", async () => {
  const { addresses, answerWith, asked, clock, name } = setUp();
  answerWith("192.0.2.1");
  await name.prepare();
  expect(addresses()).toEqual(["192.0.2.1"]);
  await clock.advance(7_999);
  expect(name.prepare()).toBeUndefined();
  expect(asked()).toBe(1);
});

test("an answer in use is renewed in the background before it expires", async () => {
  const { addresses, answerWith, asked, clock, name } = setUp();
  answerWith("192.0.2.1");
  await name.prepare();
  answerWith("192.0.2.2");
  await clock.advance(8_000);
  expect(name.prepare()).toBeUndefined();
  expect(name.prepare()).toBeUndefined();
  await clock.advance(0);
  expect(asked()).toBe(2);
  expect(addresses()).toEqual(["192.0.2.2"]);
  expect(name.version).toBe(2);
});

test("an expired answer is waited for again", async () => {
  const { addresses, answerWith, clock, name } = setUp();
  answerWith("192.0.2.1");
  await name.prepare();
  answerWith("192.0.2.2");
  await clock.advance(10_000);
  const waiting = name.prepare();
  expect(waiting).toBeInstanceOf(Promise);
  expect(name.prepare()).toBe(waiting);
  await waiting;
  expect(addresses()).toEqual(["192.0.2.2"]);
});

test("a failure keeps the last answer and nobody waits while it lasts", async () => {
  const { addresses, answerWith, asked, clock, fail, name } = setUp();
  answerWith("192.0.2.1");
  await name.prepare();
  fail();
  await clock.advance(60_000);
  await name.prepare();
  expect(addresses()).toEqual(["192.0.2.1"]);
  expect(name.prepare()).toBeUndefined();
  expect(asked()).toBe(2);
  answerWith("192.0.2.2");
  await clock.advance(1_000);
  expect(name.prepare()).toBeUndefined();
  await clock.advance(0);
  expect(addresses()).toEqual(["192.0.2.2"]);
});

test("a name that has no answer yet is asked for again a second later, not sooner", async () => {
  const { addresses, answerWith, asked, clock, name } = setUp();
  await name.prepare();
  expect(addresses()).toEqual([]);
  answerWith("192.0.2.1");
  await clock.advance(999);
  expect(name.prepare()).toBeUndefined();
  await clock.advance(1);
  await name.prepare();
  expect(asked()).toBe(2);
  expect(addresses()).toEqual(["192.0.2.1"]);
});

test("the same addresses in another order are no change", async () => {
  const { answerWith, clock, name } = setUp();
  answerWith("192.0.2.1", "192.0.2.2");
  await name.prepare();
  answerWith("192.0.2.2", "192.0.2.1");
  await clock.advance(10_000);
  await name.prepare();
  expect(name.version).toBe(1);
});

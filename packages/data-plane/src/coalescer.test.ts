import { parseRevision } from "@fngate/store";
import { FakeClock } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { Coalescer, type PendingChanges } from "./coalescer.ts";
import type { MirrorUpdate } from "./mirror/mirror.ts";

function update(revision: number, changes: Readonly<Record<string, string>> = {}): MirrorUpdate {
  const at = parseRevision(revision);
  return {
    revision: at,
    source: "watch",
    changes: Object.entries(changes).map(([key, value]) => ({
      key,
      entry: { key, value, createRevision: at, modRevision: at },
    })),
  };
}

function start() {
  const clock = new FakeClock();
  const published: PendingChanges[] = [];
  const note = (pending: PendingChanges): undefined => {
    published.push(pending);
  };
  const coalescer = new Coalescer({ clock, intervalMs: 10, publish: (pending) => note(pending) });
  const shown = () => published.map(({ revision, changes }) => [revision, ...changes.map(({ entry }) => entry?.value)]);
  return { clock, coalescer, published, shown };
}

test("publishes at once when idle, then the newest of each key once per interval", async () => {
  const { clock, coalescer, shown } = start();
  coalescer.offer(update(1, { a: "1" }));
  expect(shown()).toEqual([["1", "1"]]);
  coalescer.offer(update(2, { a: "2" }));
  coalescer.offer(update(3, { b: "1" }));
  coalescer.offer(update(4, { a: "3" }));
  expect(shown()).toHaveLength(1);
  await clock.advance(10);
  expect(shown()[1]).toEqual(["4", "3", "1"]);
  await clock.advance(10);
  coalescer.offer(update(5, { a: "4" }));
  expect(shown()[2]).toEqual(["5", "4"]);
});

test("publishes nothing for progress marks, except the first complete state, empty as it may be", async () => {
  const { clock, coalescer, shown } = start();
  coalescer.offer(update(1));
  expect(shown()).toEqual([["1"]]);
  await clock.advance(10);
  coalescer.offer(update(2));
  await clock.advance(10);
  expect(shown()).toHaveLength(1);
});

test("goes on after a publication that throws", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const coalescer = new Coalescer({
    clock,
    intervalMs: 10,
    publish: () => {
      calls += 1;
      throw new Error("broken");
    },
  });
  expect(() => coalescer.offer(update(1, { a: "1" }))).toThrow();
  await clock.advance(10);
  expect(() => coalescer.offer(update(2, { a: "2" }))).toThrow();
  expect(calls).toBe(2);
});

test("publishes nothing after it was stopped", async () => {
  const { clock, coalescer, shown } = start();
  coalescer.offer(update(1, { a: "1" }));
  coalescer.offer(update(2, { a: "2" }));
  coalescer.stop();
  coalescer.offer(update(3, { b: "1" }));
  await clock.advance(100);
  expect(shown()).toHaveLength(1);
});

test("waits for a publication that takes its time", async () => {
  const clock = new FakeClock();
  const first = Promise.withResolvers<void>();
  const revisions: string[] = [];
  const coalescer = new Coalescer({
    clock,
    intervalMs: 10,
    publish: ({ revision }) => {
      revisions.push(revision);
      return revisions.length === 1 ? first.promise : undefined;
    },
  });
  coalescer.offer(update(1, { a: "1" }));
  coalescer.offer(update(2, { a: "2" }));
  await clock.advance(100);
  expect(revisions).toEqual(["1"]);
  first.resolve();
  await clock.untilSleeping();
  await clock.advance(10);
  expect(revisions).toEqual(["1", "2"]);
});

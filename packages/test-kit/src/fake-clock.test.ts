import { expect, it } from "vitest";
import { FakeClock } from "./fake-clock.ts";

it("stands still until it is advanced, and then moves by just that", async () => {
  const clock = new FakeClock(1_000);
  expect([clock.now(), clock.monotonicMs()]).toEqual([1_000, 0]);
  await clock.advance(250);
  expect([clock.now(), clock.monotonicMs()]).toEqual([1_250, 250]);
});

it("wakes sleepers in the order they are due, each at its own time", async () => {
  const clock = new FakeClock(0);
  const woken: [string, number][] = [];
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push([name, clock.now()]);
  };
  const sleeps = [sleep("late", 30), sleep("early", 10)];
  await clock.advance(30);
  await Promise.all(sleeps);
  expect(woken).toEqual([
    ["early", 10],
    ["late", 30],
  ]);
});

it("wakes a loop as often as it falls asleep within the advance", async () => {
  const clock = new FakeClock();
  let turns = 0;
  void (async () => {
    for (;;) {
      await clock.sleep(10);
      turns += 1;
    }
  })();
  await clock.advance(55);
  expect(turns).toBe(5);
  expect(clock.sleeping).toBe(1);
});

it("ends a sleep with the reason of its signal", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const sleep = clock.sleep(1_000, abort.signal);
  abort.abort("enough");
  await expect(sleep).rejects.toBe("enough");
  await expect(clock.sleep(1, AbortSignal.abort("before"))).rejects.toBe("before");
  expect(clock.sleeping).toBe(0);
});

it("tells when somebody sleeps", async () => {
  const clock = new FakeClock();
  const asleep = clock.untilSleeping(2);
  const sleeps = [clock.sleep(1), clock.sleep(2)];
  await asleep;
  await clock.advance(2);
  await Promise.all(sleeps);
});

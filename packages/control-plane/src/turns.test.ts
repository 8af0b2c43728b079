import { FakeClock } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { Turns } from "./turns.ts";

it("runs what is for one key one after the other, also behind a failure, and keeps nothing apart otherwise", async () => {
  const turns = new Turns(new FakeClock());
  const events: string[] = [];
  const task = (name: string, gate: Promise<unknown>) => async () => {
    events.push(`${name} starts`);
    await gate;
    events.push(`${name} ends`);
    return name;
  };
  const gate = Promise.withResolvers<void>();
  const first = turns.take("a", task("first", gate.promise));
  const second = turns.take("a", () => Promise.reject(new Error("no")));
  const third = turns.take("a", task("third", Promise.resolve()));
  expect(await turns.take("b", task("other", Promise.resolve()))).toBe("other");
  expect(events).toEqual(["first starts", "other starts", "other ends"]);
  gate.resolve();
  await expect(second).rejects.toThrow("no");
  expect(await Promise.all([first, third])).toEqual(["first", "third"]);
  expect(events.slice(-3)).toEqual(["first ends", "third starts", "third ends"]);
});

it("does not wait for a neighbour that hangs", async () => {
  const clock = new FakeClock();
  const turns = new Turns(clock);
  const gate = Promise.withResolvers<string>();
  const hanging = turns.take("a", () => gate.promise);
  const next = turns.take("a", async () => "done");
  await clock.advance(1_000);
  expect(await next).toBe("done");
  gate.resolve("late");
  expect(await hanging).toBe("late");
});

import { expect, test } from "vitest";
import { SharedStates } from "./shared-states.ts";

test.each([
  [
    "throws",
    () => {
      throw new Error("broken");
    },
  ],
  ["rejects", () => Promise.reject(new Error("broken"))],
])("a state whose end %s keeps no other one from being ended", async (_how, dispose) => {
  const ended: string[] = [];
  const states = new SharedStates();
  const shared = states.of("my-plugin");
  shared.acquire("first", () => "first", dispose);
  shared.acquire(
    "second",
    () => "second",
    async (state) => ended.push(state),
  );
  await states.close();
  expect(ended).toEqual(["second"]);
});

import { expect, it, vi } from "vitest";
import { lazy } from "./lazy.ts";

it("makes the value at the first call only, even one that is undefined", () => {
  const make = vi.fn(() => undefined);
  const value = lazy(make);
  expect(make).not.toHaveBeenCalled();
  expect([value(), value()]).toEqual([undefined, undefined]);
  expect(make).toHaveBeenCalledOnce();
});

it("tries again after a throw", () => {
  const make = vi.fn().mockImplementationOnce(() => {
    throw new Error("not yet");
  });
  make.mockReturnValue("made");
  const value = lazy<string>(make);
  expect(value).toThrow("not yet");
  expect(value()).toBe("made");
});

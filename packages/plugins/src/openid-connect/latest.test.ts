import { describe, expect, it } from "vitest";
import { Latest } from "./latest.ts";

describe("the value made of the latest input", () => {
  it("is made once while the input stays, for all who wait together", async () => {
    const seen: string[] = [];
    const latest = new Latest(async (input: string) => {
      seen.push(input);
      return { input };
    });
    const [first, second] = await Promise.all([latest.of("a"), latest.of("a")]);
    expect(first).toBe(second);
    expect(await latest.of("b")).toEqual({ input: "b" });
    expect(seen).toEqual(["a", "b"]);
  });

  it("is not remembered when it could not be made", async () => {
    let isBroken = true;
    const latest = new Latest(async (input: string) => {
      if (isBroken) throw new Error("broken");
      return input;
    });
    await expect(latest.of("a")).rejects.toThrow("broken");
    isBroken = false;
    expect(await latest.of("a")).toBe("a");
  });
});

import { describe, expect, it } from "vitest";
import { jsonWithRoute, refusalBy } from "./log-service.ts";

describe("jsonWithRoute", () => {
  it.each([
    [{ a: 1, route_id: "7", b: 2 }, '{"a":1,"route_id":"7","b":2}'],
    [{ a: 1, route_id: undefined, b: 2 }, '{"a":1,"route_id":"no-matched","b":2}'],
    [{ a: 1, route_id: null, b: 2 }, '{"a":1,"route_id":"no-matched","b":2}'],
    [{ a: 1 }, '{"a":1,"route_id":"no-matched"}'],
  ])("says in its place which route %j is of, or that it is of none", (entry, text) => {
    expect(jsonWithRoute(entry)).toBe(text);
  });
});

describe("refusalBy", () => {
  it("has the status and the first 256 bytes of the answer", () => {
    const body = Buffer.from("x".repeat(257));
    expect(refusalBy("loki", { status: 503, headers: [], body }).message).toBe(`loki answered 503: ${"x".repeat(256)}`);
  });
});

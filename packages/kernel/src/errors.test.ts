import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ERROR_CODES, GatewayError, hasCode, isGatewayError, messageOf } from "./errors.ts";

describe("GatewayError", () => {
  it("carries code, message, cause and details", () => {
    const cause = new Error("below");
    const error = new GatewayError("STORE_UNAVAILABLE", "etcd does not answer", { cause, details: { tries: 3 } });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "GatewayError", code: "STORE_UNAVAILABLE", cause, details: { tries: 3 } });
  });

  it("has empty details and no cause when none are given", () => {
    const error = new GatewayError("STORE_CLOSED", "the store is closed");

    expect(error.details).toEqual({});
    expect(Object.hasOwn(error, "cause")).toBe(false);
  });
});

describe("isGatewayError", () => {
  const error = new GatewayError("STORE_CONFLICT", "lost the race");

  it.each([
    { title: "any code", value: error, code: undefined, expected: true },
    { title: "the same code", value: error, code: "STORE_CONFLICT", expected: true },
    { title: "another code", value: error, code: "STORE_CLOSED", expected: false },
    { title: "a plain error", value: new Error("no"), code: undefined, expected: false },
    { title: "a thrown text", value: "STORE_CONFLICT", code: "STORE_CONFLICT", expected: false },
  ] as const)("answers $expected for $title", ({ value, code, expected }) => {
    expect(isGatewayError(value, code)).toBe(expected);
  });
});

describe("hasCode", () => {
  const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });

  it.each([
    { title: "an error with the code", value: missing, expected: true },
    { title: "one with another code", value: Object.assign(new Error("refused"), { code: "EACCES" }), expected: false },
    { title: "one without", value: new Error("ENOENT"), expected: false },
    { title: "what is no error", value: { code: "ENOENT" }, expected: false },
    { title: "nothing", value: undefined, expected: false },
  ])("answers $expected for $title", ({ value, expected }) => {
    expect(hasCode(value, "ENOENT")).toBe(expected);
  });
});

describe("messageOf", () => {
  it("gives an error's message and the text of anything else", () => {
    expect([messageOf(new Error("broken")), messageOf("plain"), messageOf(undefined)]).toEqual([
      "broken",
      "plain",
      "undefined",
    ]);
  });
});

describe("ERRORS.md", () => {
  it("has exactly one row for every error code, and none for a code that does not exist", async () => {
    const page = await readFile(new URL("../ERRORS.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` +\| [^|\n]+ \| [^|\n]+ \|$/gm)].map(([, code]) => code);

    expect(rows.toSorted()).toEqual([...ERROR_CODES].toSorted());
    expect(page.match(/^\| `/gm)).toHaveLength(rows.length);
  });
});

import { expect, test } from "vitest";
import { readHttp2Head } from "./http2-head.ts";

const PSEUDO = [":method", "GET", ":scheme", "http", ":path", "/a?b"];

test("pseudo fields become method, target and Host", () => {
  expect(readHttp2Head([...PSEUDO, ":authority", "A:1", "x", "y"])).toMatchObject({
    method: "GET",
    target: "/a?b",
    rawHeaders: ["Host", "A:1", "x", "y"],
    isAmbiguous: false,
  });
});

test("a Host stands in for the authority, and the same one beside it counts once", () => {
  expect(readHttp2Head([...PSEUDO, "host", "a"]).rawHeaders).toEqual(["Host", "a"]);
  expect(readHttp2Head([...PSEUDO, ":authority", "a", "host", "a"]).rawHeaders).toEqual(["Host", "a"]);
});

test("another Host beside the authority is ambiguous, and a second Host stays visible", () => {
  expect(readHttp2Head([...PSEUDO, ":authority", "a", "host", "b"]).isAmbiguous).toBe(true);
  expect(readHttp2Head([...PSEUDO, "host", "a", "host", "b"]).rawHeaders).toEqual(["Host", "a", "host", "b"]);
});

test("without a host there is no Host", () => {
  expect(readHttp2Head(PSEUDO).rawHeaders).toEqual([]);
});

test("cookies in pieces become one field", () => {
  expect(readHttp2Head([...PSEUDO, "cookie", "a=1", "x", "y", "cookie", "b=2"]).rawHeaders).toEqual([
    "x",
    "y",
    "cookie",
    "a=1; b=2",
  ]);
});

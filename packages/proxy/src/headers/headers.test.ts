import { expect, test } from "vitest";
import { prepareHeaders } from "./request-headers.ts";
import { responseHeaders } from "./response-headers.ts";

test("ordinary request fields pass in order, with case, repeats and empty values", () => {
  const fields = [
    "Accept",
    "*/*",
    "X-a",
    "",
    "COOKIE",
    "a=1",
    "cookie",
    "b=2",
    "Trailer",
    "X",
    "Proxy-Authorization",
    "y",
  ];
  expect(prepareHeaders(fields)).toEqual(fields);
});

test.each([
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "TE",
  "Transfer-Encoding",
  "Upgrade",
  "Expect",
  "Content-Length",
  "Host",
])("%s is dropped in any case, wherever it stands", (name) => {
  const fields = [name, "x", "X-A", "1", name.toUpperCase(), "y", "X-B", "2", name.toLowerCase(), "z"];
  expect(prepareHeaders(fields)).toEqual(["X-A", "1", "X-B", "2"]);
});

test("fields named by Connection are dropped before and after it, other fields of like names are not", () => {
  const fields = [
    "X-Hop",
    "1",
    "Connection",
    "close, x-hop ,, Authorization",
    "AUTHORIZATION",
    "s",
    "X-Hop-Not",
    "2",
    "x-hop",
    "3",
  ];
  expect(prepareHeaders(fields)).toEqual(["X-Hop-Not", "2"]);
});

test("fields named by a second Connection are dropped too", () => {
  expect(prepareHeaders(["Connection", "a", "A", "1", "connection", "B", "b", "2", "C", "3"])).toEqual(["C", "3"]);
});

test.each(["keep-alive", "Close", "KEEP-ALIVE"])("Connection: %s names nothing", (value) => {
  expect(prepareHeaders(["Connection", value, "Close", "1", "A", "2"])).toEqual(["Close", "1", "A", "2"]);
});

test("the client's array is left as it is", () => {
  const fields = Object.freeze(["Host", "a", "X-A", "1"]);
  expect(prepareHeaders(fields)).toEqual(["X-A", "1"]);
});

test("raw answer fields are decoded as latin-1", () => {
  expect(responseHeaders([Buffer.from("X-A"), Buffer.from([0xe9]), "x-b", "2"])).toEqual(["X-A", "\xe9", "x-b", "2"]);
});

test("names longer than any known one pass", () => {
  const name = `X-${"long".repeat(20)}`;
  expect(prepareHeaders([name, "1"])).toEqual([name, "1"]);
});

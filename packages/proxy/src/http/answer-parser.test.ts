import { expect, test } from "vitest";
import { readOwn } from "../testing/answer-bytes.ts";
import { AnswerParser } from "./answer-parser.ts";
import { BadResponseError } from "./failure.ts";

const read = (text: string, isHeadRequest = false) => readOwn([Buffer.from(text, "latin1")], isHeadRequest);
const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

test.each([
  ["another protocol", "ICY 200 OK\r\n\r\n"],
  ["another major version", "HTTP/2.0 200 OK\r\n\r\n"],
  ["another minor version", "HTTP/1.2 200 OK\r\n\r\n"],
  ["a line break before the status line", `\r\n${OK}\r\n`],
  ["two blanks before the status", "HTTP/1.1  200 OK\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 No\r\n\r\n"],
  ["a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
  ["a NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"],
  ["a bare LF behind the status line", "HTTP/1.1 200 OK\nX-A: 1\r\n\r\n"],
  ["bare LFs only", "HTTP/1.1 200 OK\nX-A: 1\n\n"],
  ["a bare CR in a value", `${OK}X-A: 1\rX-B: 2\r\n\r\n`],
  ["a NUL in a value", `${OK}X-A: 1\0\r\n\r\n`],
  ["a DEL in a value", `${OK}X-A: \x7f\r\n\r\n`],
  ["a folded field", `${OK}X-A: 1\r\n 2\r\n\r\n`],
  ["a field that starts with a tab", `${OK}\tX-A: 1\r\n\r\n`],
  ["a blank before the colon", `${OK}Content-Length : 2\r\n\r\nok`],
  ["an empty name", `${OK}: 1\r\n\r\n`],
  ["a line without a colon", `${OK}X-A\r\n\r\n`],
  ["two equal lengths", `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`],
  ["a list of lengths", `${OK}Content-Length: 2, 2\r\n\r\nok`],
  ["an empty length", `${OK}Content-Length:\r\n\r\n`],
  ["a signed length", `${OK}Content-Length: +2\r\n\r\nok`],
  ["a hexadecimal length", `${OK}Content-Length: 0x2\r\n\r\nok`],
  ["a length beyond any number", `${OK}Content-Length: 9999999999999999\r\n\r\nok`],
  ["a length before a coding", `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["a coding before a length", `${OK}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n`],
  ["two codings", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["a coding twice", `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["an unknown coding", `${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a long head", `${OK}X-A: ${"x".repeat(17_000)}\r\n\r\n`],
  ["a long head of many fields", `${OK}${"X-A: 1\r\n".repeat(2_100)}\r\n`],
  ["interim answers without end", "HTTP/1.1 103 Early\r\n\r\n".repeat(101)],
])("%s is refused with its head", (_, text) => {
  expect(read(text)).toEqual({ reading: "refused", hasHead: false, isReusable: false });
});

test.each([
  ["no size", "\r\nok\r\n0\r\n\r\n"],
  ["a size that is no number", "2x\r\nok\r\n0\r\n\r\n"],
  ["a signed size", "+2\r\nok\r\n0\r\n\r\n"],
  ["a prefixed size", "0x2\r\nok\r\n0\r\n\r\n"],
  ["a blank behind the size", "2 \r\nok\r\n0\r\n\r\n"],
  ["a size beyond any number", `${"f".repeat(14)}\r\nok\r\n0\r\n\r\n`],
  ["a bare LF behind the size", "2\nok\r\n0\r\n\r\n"],
  ["a bare LF behind the data", "2\r\nok\n0\r\n\r\n"],
  ["more data than said", "2\r\noks\r\n0\r\n\r\n"],
  ["less data than said", "3\r\nok\r\n0\r\n\r\n"],
  ["a blank in an extension", "2; a\r\nok\r\n0\r\n\r\n"],
  ["an extension without a name", "2;\r\nok\r\n0\r\n\r\n"],
  ["a line break in a quoted extension", '2;a="\r\n"\r\nok\r\n0\r\n\r\n'],
  ["a long extension", `2;${"a".repeat(1_100)}\r\nok\r\n0\r\n\r\n`],
  ["a bare LF in the trailer", "2\r\nok\r\n0\r\nX-A: 1\n\r\n"],
  ["a folded trailer field", "2\r\nok\r\n0\r\nX-A: 1\r\n 2\r\n\r\n"],
  ["a control in a trailer field", "2\r\nok\r\n0\r\nX-A: \0\r\n\r\n"],
  ["a trailer without end", `2\r\nok\r\n0\r\n${"X-A: 1\r\n".repeat(2_100)}\r\n`],
  ["no last chunk", "2\r\nok\r\n"],
  ["no blank line at the end", "2\r\nok\r\n0\r\n"],
])("chunks with %s are refused", (_, body) => {
  expect(read(CHUNKED + body)).toEqual({ reading: "refused", hasHead: true, isReusable: false });
});

test.each([
  ["a length", `${OK}Content-Length: 2\r\n\r\nok`],
  ["chunks", `${CHUNKED}1;a;b=c;d="e\\"f"\r\no\r\n0001\r\nk\r\n0\r\nX-A: 1\r\n\r\n`],
  ["HTTP/1.0 and its consent", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"],
  [
    "interim answers before",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
  ],
])("an answer with %s leaves the connection to the next", (_, text) => {
  expect(read(text)).toMatchObject({ reading: { status: 200, reason: "OK", body: "ok" }, isReusable: true });
});

test.each([
  ["no length", `${OK}\r\nok`],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["Connection: close", `${OK}connection: Close\r\nContent-Length: 2\r\n\r\nok`],
  ["close in a list", `${OK}Connection: keep-alive, x-a ,close\r\nContent-Length: 2\r\n\r\nok`],
  ["bytes behind it", `${OK}Content-Length: 2\r\n\r\nok${OK}`],
  ["bytes behind its chunks", `${CHUNKED}2\r\nok\r\n0\r\n\r\n${OK}`],
])("an answer with %s ends the connection", (_, text) => {
  expect(read(text)).toMatchObject({ reading: { status: 200, body: "ok" }, isReusable: false });
});

test.each([
  ["to HEAD", `${OK}Content-Length: 2\r\n\r\n`, true],
  ["to HEAD, chunked", CHUNKED, true],
  ["204", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", false],
  ["304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", false],
])("an answer %s has no body whatever its fields say", (_, text, isHeadRequest) => {
  expect(read(text, isHeadRequest)).toMatchObject({ reading: { body: "" }, isReusable: true });
  expect(read(`${text}ok`, isHeadRequest)).toMatchObject({ reading: { body: "" }, isReusable: false });
});

test("blanks around values are no part of them", () => {
  expect(read(`${OK}X-A:\t 1 2 \t\r\nX-B:\r\nContent-Length:2 \r\n\r\nok`)).toMatchObject({
    reading: { headers: ["X-A", "1 2", "X-B", "", "Content-Length", "2"] },
  });
});

test.each(["\x15\x03\x03\0\x02\x02F", "SSH-2.0-Open", "HTTP/1.1 200 OK\nX-A: 1"])(
  "%j is refused before a blank line comes",
  (text) => {
    const parser = new AnswerParser();
    parser.begin({ onHead: () => {}, onBody: () => {}, onAnswerEnd: () => {} }, false);
    expect(() => parser.push(Buffer.from(text, "latin1"))).toThrow(BadResponseError);
  },
);

import { once } from "node:events";
import { connect } from "node:net";
import { FakeClock, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { type RunningPlane, startPlane } from "../testing/running-plane.ts";
import { STALL_LIMIT_MS } from "./stall-watch.ts";

const head = (...lines: readonly string[]) => `${lines.join("\r\n")}\r\n\r\n`;

/** What Node's parser refuses, one of each kind it has an error for. */
const UNREADABLE: readonly (readonly [name: string, bytes: string, status: number])[] = [
  ["a field name with a space", head("GET / HTTP/1.1", "Host: a", "X A: 1"), 400],
  ["a field name with a bracket", head("GET / HTTP/1.1", "Host: a", "X(A): 1"), 400],
  ["a field without a name", head("GET / HTTP/1.1", "Host: a", ": 1"), 400],
  ["a field without a colon", head("GET / HTTP/1.1", "Host: a", "nonsense"), 400],
  ["a control character in a field", head("GET / HTTP/1.1", "Host: a", "X-A: \u0001"), 400],
  ["an unknown method", head("BREW / HTTP/1.1", "Host: a"), 400],
  ["a version that does not exist", head("GET / HTTP/9.9", "Host: a"), 400],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["a TLS handshake", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000", 400],
  ["lengths that disagree", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 2"), 400],
  ["a length and chunks", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Transfer-Encoding: chunked"), 400],
  ["a chunk without size", `${head("POST /x HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")}zz\r\n`, 400],
  ["a head that is too long", head("GET / HTTP/1.1", "Host: a", ...Array(9).fill(`X-A: ${"x".repeat(8_000)}`)), 400],
  ["a request line that is too long", head(`GET /${"x".repeat(70_000)} HTTP/1.1`, "Host: a"), 414],
];

const TITLES: Readonly<Record<number, string>> = {
  400: "400 Bad Request",
  408: "408 Request Time-out",
  414: "414 Request-URI Too Large",
};

function expectRefusal(received: string, status: number): void {
  const [fields = "", body = ""] = received.split("\r\n\r\n");
  expect(fields).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(fields).toContain("\r\nServer: APISIX/3.18.0");
  expect(fields).toContain("\r\nContent-Type: application/json");
  expect(fields).toContain("\r\nConnection: close");
  expect(JSON.parse(body)).toEqual({ error_msg: TITLES[status] });
}

test.each(UNREADABLE)("%s is answered in JSON, and the connection closed", async (_, bytes, status) => {
  await using upstream = await startEchoUpstream();
  await using plane = await startPlane();
  await plane.put("routes/1", { uri: "/x", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
  expectRefusal(await plane.raw(bytes), status);
});

test("fields beyond the two-thousandth count like any other: a second Host there is refused", async () => {
  await using plane = await startPlane();
  const many = Array(2_100).fill("a:1");
  expectRefusal(await plane.raw(head("GET / HTTP/1.1", "Host: a", ...many, "Host: b")), 400);
});

async function sendPart(plane: RunningPlane, text: string) {
  const socket = connect(plane.portOf(), "127.0.0.1");
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  const closed = once(socket, "close").then(() => received);
  await once(socket, "connect");
  socket.write(text);
  return closed;
}

test("a body that stalls is answered with 408, and logged so", async () => {
  const clock = new FakeClock();
  await using upstream = await startEchoUpstream();
  await using plane = await startPlane({ clock, publishIntervalMs: 0 });
  await plane.store.put(
    "/apisix/routes/1",
    JSON.stringify({ uri: "/x", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } }),
  );
  await clock.advance(1);
  const received = sendPart(plane, head("POST /x HTTP/1.1", "Host: a", "Content-Length: 10"));
  let answer: string | undefined;
  void received.then((text) => {
    answer = text;
  });
  while (answer === undefined) await clock.advance(STALL_LIMIT_MS / 4);
  expectRefusal(answer, 408);
  expect(plane.accessLog.join("")).toContain('"POST /x HTTP/1.1" 408 ');
});

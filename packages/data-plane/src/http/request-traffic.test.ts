import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { RequestTraffic } from "@fngate/plugin-kit";
import { definePlugin } from "@fngate/plugin-kit";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, startPlane } from "../testing/running-plane.ts";

/** A plane whose route answers by itself and tells what each request and its answer took. */
async function startCounted(httpVersion: "1.1" | "2.0") {
  const counted: RequestTraffic[] = [];
  const count = definePlugin({
    name: "count",
    version: 0.1,
    priority: 1,
    schema: z.looseObject({ isForwarding: z.boolean().default(false) }),
    setup: ({ isForwarding }) => ({
      async access({ request }) {
        if (isForwarding) return undefined;
        await request.body.read(100_000);
        return { kind: "reply", status: 200, body: "answer" };
      },
      log({ traffic }) {
        counted.push(traffic);
      },
    }),
  });
  const listen = [{ host: "127.0.0.1", port: 0, ...(httpVersion === "2.0" && { isHttp2Enabled: true }) }];
  const plane = await startPlane({ catalog: catalogWith(count), listen });
  await plane.put("routes/1", { uri: "/*", plugins: { count: {} } });
  return { plane, counted };
}

const BODY = "x".repeat(20_000);

test("a request and its answer count with their heads and whole bodies, each on a kept connection by itself", async () => {
  const { counted, plane } = await startCounted("1.1");
  await using _plane = plane;
  const first = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
  const second = `POST /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
  const socket = connect(plane.portOf(), "127.0.0.1").setEncoding("latin1");
  const answers: string[] = [];
  for (const text of [first, second]) {
    socket.write(text);
    answers.push(String((await once(socket, "data"))[0]));
  }
  await eventually(() => expect(counted).toHaveLength(2));
  expect(counted).toEqual([
    { receivedBytes: first.length, sentBytes: answers[0]?.length },
    { receivedBytes: second.length, sentBytes: answers[1]?.length },
  ]);
});

test("a body that is streamed to an upstream counts like one that is read", async () => {
  await using upstream = await startEchoUpstream();
  const { counted, plane } = await startCounted("1.1");
  await using _plane = plane;
  const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
  await plane.put("routes/2", { uri: "/stream", plugins: { count: { isForwarding: true } }, upstream: { nodes } });
  const pieces = ["5\r\nhello\r\n", "6\r\n world\r\n", "0\r\n\r\n"];
  const request = `POST /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${pieces.join("")}`;
  const answer = await plane.raw(request);
  await eventually(() => expect(counted).toHaveLength(1));
  expect(counted).toEqual([{ receivedBytes: request.length, sentBytes: answer.length }]);
});

test("an HTTP/2 stream counts with the names and values of its heads", async () => {
  const { counted, plane } = await startCounted("2.0");
  await using _plane = plane;
  const session = connectHttp2(`http://127.0.0.1:${plane.portOf()}`);
  const fields = { ":method": "POST", ":path": "/b", ":authority": "a", ":scheme": "http", "x-one": "1" };
  const stream = session.request(fields);
  stream.end(BODY);
  const [{ date: _date, ...head }] = await once(stream, "response");
  stream.resume();
  await once(stream, "end");
  session.close();
  await eventually(() => expect(counted).toHaveLength(1));
  const sizeOf = (one: object) =>
    Object.entries(one).reduce((sum, [name, value]) => sum + name.length + String(value).length, 0);
  expect(counted).toEqual([{ receivedBytes: sizeOf(fields) + BODY.length, sentBytes: sizeOf(head) + "answer".length }]);
});

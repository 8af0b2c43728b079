import { startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import type { ClientLimits } from "../options.ts";
import { startPlane } from "../testing/running-plane.ts";

/** A plane with limits, with a route to an upstream and one to a function. */
async function startLimited(clientLimits: ClientLimits) {
  const upstream = await startEchoUpstream({ reply: { body: "ok" } });
  const plane = await startPlane({ clientLimits });
  await plane.put("routes/1", { uri: "/upstream", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
  await plane.put("routes/2", { uri: "/function", plugins: { openfunction: { function_uri: upstream.origin } } });
  const stack = new AsyncDisposableStack();
  stack.use(upstream);
  stack.use(plane);
  return { plane, upstream, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const post = (path: string, framing: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${framing}\r\n\r\n${body}`;
const chunked = (path: string, ...chunks: readonly string[]) => {
  const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
  return post(path, "Transfer-Encoding: chunked", `${body}0\r\n\r\n`);
};

test.each(["/upstream", "/function"])("a body over the limit is refused with 413 on the way to %s", async (path) => {
  await using limited = await startLimited({ maxBodyBytes: 10 });
  const { plane, upstream } = limited;
  for (const text of [post(path, "Content-Length: 11", "x".repeat(11)), chunked(path, "xxxxx", "xxxxx", "x")]) {
    const answer = await plane.raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('{"error_msg":"413 Request Entity Too Large"}');
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  }
  expect(upstream.requests).toEqual([]);
});

test.each(["/upstream", "/function"])("a body of exactly the limit passes on the way to %s", async (path) => {
  await using limited = await startLimited({ maxBodyBytes: 10 });
  const { plane, upstream } = limited;
  expect(await plane.raw(post(path, "Content-Length: 10", "x".repeat(10)))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await plane.raw(chunked(path, "xxxxx", "xxxxx"))).toMatch(/^HTTP\/1\.1 200 /);
  expect(upstream.requests.map(({ body }) => body.toString())).toEqual(["x".repeat(10), "x".repeat(10)]);
});

test("no connection is kept when it may not idle at all", async () => {
  await using limited = await startLimited({ keepAliveTimeoutMs: 0 });
  expect(await limited.plane.raw("GET /upstream HTTP/1.1\r\nHost: a\r\n\r\n")).toContain("\r\nConnection: close");
});

test("an idle connection is closed after its time", async () => {
  await using limited = await startLimited({ keepAliveTimeoutMs: 1 });
  expect(await limited.plane.raw("GET /upstream HTTP/1.1\r\nHost: a\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
});

test("a head that takes too long is answered with 408", async () => {
  await using limited = await startLimited({ headerTimeoutMs: 50 });
  const answer = await limited.plane.raw("GET /upstream HTTP/1.1\r\nHost: a\r\n");
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('{"error_msg":"408 Request Time-out"}');
});

test("a body that stops coming is answered with 408", async () => {
  await using limited = await startLimited({ bodyTimeoutMs: 50 });
  expect(await limited.plane.raw(post("/upstream", "Content-Length: 10", "x"))).toMatch(/^HTTP\/1\.1 408 /);
});

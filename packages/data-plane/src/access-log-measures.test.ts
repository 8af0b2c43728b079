import { once } from "node:events";
import { createServer } from "node:net";
import { definePlugin } from "@fngate/plugin-kit";
import { eventually, freePorts } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, startPlane } from "./testing/running-plane.ts";

const ANSWER =
  "HTTP/1.1 200 OK\r\nX-Up: 1\r\nx-up: 2\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nContent-Length: 5\r\n\r\nhello";

/** An upstream that counts, and answers whatever comes with the same bytes when the request is through. */
async function startCounting(isThrough: (text: string) => boolean) {
  let received = "";
  let isAnswered = false;
  const server = createServer((socket) => {
    socket.setEncoding("latin1");
    socket.on("error", () => undefined);
    socket.on("data", (text: string) => {
      received += text;
      if (isAnswered || !isThrough(received)) return;
      isAnswered = true;
      socket.write(ANSWER);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    received: () => received.length,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

const HEAD = "Host: a\r\nConnection: close\r\n";

describe("bytes in the access log are those on the wire", () => {
  test.each([
    ["without a body", `GET /x HTTP/1.1\r\n${HEAD}\r\n`, ""],
    ["with a declared body", `POST /x HTTP/1.1\r\n${HEAD}Content-Length: 7\r\n\r\n1234567`, "1234567"],
    [
      "with a body in chunks",
      `POST /x HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n`,
      "0\r\n\r\n",
    ],
  ])("%s", async (_what, request, end) => {
    await using upstream = await startCounting((text) => text.includes("\r\n\r\n") && text.endsWith(end));
    await using plane = await startPlane({
      accessLogTemplate: "$request_length $bytes_sent $body_bytes_sent $upstream_bytes_sent $upstream_bytes_received",
    });
    await plane.put("routes/1", { uri: "/x", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
    const answer = await plane.raw(request);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*hello$/s);
    const counts = [request.length, answer.length, 5, upstream.received(), ANSWER.length];
    await eventually(() => expect(plane.accessLog).toEqual([`${counts.join(" ")}\n`]));
  });

  test("of requests that come before their answers, each for itself", async () => {
    await using upstream = await startCounting((text) => text.endsWith("\r\n\r\n"));
    await using plane = await startPlane({ accessLogTemplate: "$request_uri $bytes_sent" });
    await plane.put("routes/1", { uri: "/x", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
    const requests = ["GET /x HTTP/1.1\r\nHost: a\r\n\r\n", `GET /second HTTP/1.1\r\n${HEAD}\r\n`];
    const answers = await plane.raw(requests.join(""));
    const first = answers.indexOf("HTTP/1.1 404");
    await eventually(() => expect(plane.accessLog).toEqual([`/x ${first}\n`, `/second ${answers.length - first}\n`]));
  });
});

test("requests that come before their answers are told, and how long their connection has been there", async () => {
  await using upstream = await startCounting((text) => text.endsWith("\r\n\r\n"));
  await using plane = await startPlane({ accessLogTemplate: "$request_uri $pipe $connection_time $request_time" });
  await plane.put("routes/1", { uri: "/x", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
  await plane.raw(`GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\n${HEAD}\r\n`);
  await eventually(() => expect(plane.accessLog).toHaveLength(2));
  const lines = plane.accessLog.map((line) => line.trim().split(" "));
  expect(lines.map(([uri, pipe]) => [uri, pipe])).toEqual([
    ["/x", "."],
    ["/second", "p"],
  ]);
  const [first = 0, second = 0] = lines.map(([, , age]) => Number(age));
  expect(second).toBeGreaterThanOrEqual(first);
  expect(first).toBeGreaterThanOrEqual(Number(lines[0]?.[3]));
});

test("fields and cookies of the upstream's answer are there as they came", async () => {
  await using upstream = await startCounting((text) => text.endsWith("\r\n\r\n"));
  await using plane = await startPlane({
    accessLogTemplate:
      "$upstream_http_x_up|$upstream_cookie_c|$upstream_cookie_b|$upstream_http_no|$upstream_trailer_t",
  });
  const plugins = { "response-rewrite": { headers: { remove: ["X-Up"] } } };
  await plane.put("routes/1", { uri: "/x", plugins, upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } });
  await plane.send("/x");
  await eventually(() => expect(plane.accessLog).toEqual(["1, 2|d|-|-|-\n"]));
});

describe("after a retry", () => {
  const SECONDS = "\\d+\\.\\d{3}";

  async function askTwoNodes(options: Parameters<typeof startPlane>[0]) {
    const [dead = 0] = await freePorts(1);
    const upstream = await startCounting((text) => text.endsWith("\r\n\r\n"));
    const plane = await startPlane(options);
    const nodes = [
      { host: "127.0.0.1", port: dead, weight: 1, priority: 1 },
      { host: "127.0.0.1", port: upstream.port, weight: 1 },
    ];
    await plane.put("routes/1", { uri: "/x", plugins: { reading: {} }, upstream: { nodes } });
    await plane.send("/x");
    const line = await eventually(() => plane.accessLog[0] ?? expect.fail("nothing was logged"));
    await plane[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
    return { line, addresses: `127.0.0.1:${dead}, 127.0.0.1:${upstream.port}` };
  }

  test("variables list every attempt", async () => {
    const accessLogTemplate =
      "$upstream_addr|$upstream_status|$upstream_response_time|$upstream_connect_time|$upstream_header_time|$upstream_response_length|$upstream_bytes_received";
    const { line, addresses } = await askTwoNodes({ accessLogTemplate });
    const times = `${SECONDS}, ${SECONDS}\\|-, ${SECONDS}\\|-, ${SECONDS}`;
    expect(line).toMatch(new RegExp(`^${addresses}\\|502, 200\\|${times}\\|0, 5\\|0, ${ANSWER.length}\n$`));
  });

  test("APISIX's line does", async () => {
    const { line, addresses } = await askTwoNodes({});
    expect(line).toMatch(
      new RegExp(` ${addresses} 502, 200 ${SECONDS}, ${SECONDS} "http://127[^"]+" "[0-9a-f]{32}"\n$`),
    );
  });

  test("the JSON line does", async () => {
    const { line, addresses } = await askTwoNodes({ accessLogFormat: "json" });
    expect(JSON.parse(line)).toMatchObject({ upstream_addr: addresses, upstream_status: "502, 200" });
  });

  test("plugins that log see the same, without a template that names it", async () => {
    const seen: unknown[] = [];
    const names = ["upstream_addr", "upstream_connect_time", "upstream_bytes_received", "upstream_http_x_up"];
    const reading = definePlugin({
      name: "reading",
      version: 0.1,
      priority: 1,
      schema: z.looseObject({}),
      setup: () => ({
        log: ({ variables }) => {
          seen.push(...names.map((name) => variables.get(name)));
        },
      }),
    });
    const { addresses } = await askTwoNodes({ catalog: catalogWith(reading) });
    const time = expect.stringMatching(new RegExp(`^-, ${SECONDS}$`));
    expect(seen).toEqual([addresses, time, `0, ${ANSWER.length}`, "1, 2"]);
  });
});

test("what the upstream was told stands in the line: host of the node, path of a plugin", async () => {
  await using upstream = await startCounting((text) => text.endsWith("\r\n\r\n"));
  await using plane = await startPlane();
  const node = `127.0.0.1:${upstream.port}`;
  await plane.put("routes/1", {
    uri: "/x",
    plugins: { "proxy-rewrite": { uri: "/other" } },
    upstream: { nodes: { [node]: 1 }, pass_host: "node" },
  });
  await plane.send("/x?q=1");
  await eventually(() => expect(plane.accessLog[0]).toContain(`"http://${node}/other?q=1"`));
});

test("calls of functions are none of an upstream", async () => {
  await using upstream = await startCounting((text) => text.endsWith("\r\n\r\n"));
  await using plane = await startPlane({
    accessLogTemplate: "$upstream_addr $upstream_connect_time $upstream_http_x_up",
  });
  const plugins = { openfunction: { function_uri: `http://127.0.0.1:${upstream.port}` } };
  await plane.put("routes/1", { uri: "/x", plugins });
  expect((await plane.send("/x")).status).toBe(200);
  await eventually(() => expect(plane.accessLog).toEqual(["- - -\n"]));
});

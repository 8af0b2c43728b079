import { connect } from "node:net";
import { definePlugin } from "@fngate/plugin-kit";
import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, type RunningPlane, startPlane } from "./testing/running-plane.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };
const JSON_TYPE = { "Content-Type": "application/json" };

/** Two routes of one path: `1` for what `vars` says, `2` for everything else. */
async function startPair(vars: unknown, options = {}): Promise<RunningPlane> {
  const plane = await startPlane(options);
  const answer = (status: number) => ({ uri: "/x", priority: 3 - status, upstream_id: "missing" });
  await plane.put("routes/1", { ...answer(1), vars });
  await plane.put("routes/2", { uri: "/x", service_id: "missing" });
  return plane;
}

/** Which of the two: the first lacks its upstream, the second its service. */
function chosen(status: number): number {
  return status === 502 ? 1 : 2;
}

describe("post arguments", () => {
  test.each([
    [["post_arg_a", "==", "1"], FORM, "a=1&b=2", 1],
    [["post_arg_a", "==", "1"], FORM, "a=1&a=2", 1],
    [["post_arg_a", "==", "1"], FORM, "a=2&a=1", 2],
    [["post_arg_a", "==", "x y"], FORM, "a=x+%79", 1],
    [["post_arg_a", "==", "\u00e9"], FORM, "a=%C3%A9", 1],
    [["post_arg_a", "==", true], FORM, "a", 1],
    [["post_arg_a", "==", "1"], JSON_TYPE, '{"a":"1"}', 2],
    [["post_arg_a", "!", "==", "1"], FORM, "a=1", 2],
    [["post_arg_a", "!", "==", "1"], FORM, "a=2", 1],
    [["post_arg_a", "~=", "1"], FORM, "a=1", 2],
    [["post_arg.a", "==", "1"], FORM, "a=1", 1],
    [["post_arg.a", "has", "2"], FORM, "a=1&a=2", 1],
    [["post_arg.a.b", "==", 2], JSON_TYPE, '{"a":{"b":2}}', 1],
    [["post_arg.a.b", "==", "2"], JSON_TYPE, '{"a":{"b":2}}', 2],
    [["post_arg.a", "has", "x"], JSON_TYPE, '{"a":["x"]}', 1],
    [["post_arg.a[*].b", "has", "y"], JSON_TYPE, '{"a":[{"b":"x"},{"b":"y"}]}', 1],
    [["post_arg.a[*].b", "==", "y"], JSON_TYPE, '{"a":[{"b":"y"}]}', 2],
    [["post_arg.a..c", "!", "has", "y"], JSON_TYPE, '{"a":[{"b":{"c":"y"}}]}', 2],
    [["post_arg.a", "==", "1"], JSON_TYPE, "{broken", 2],
    [["post_arg.toString", "~=", null], JSON_TYPE, "{}", 2],
    [["post_arg.a", "==", "1"], { "Content-Type": "text/plain" }, "a=1", 2],
    [["post_arg.a", "==", "1"], {}, "a=1", 2],
  ])("%j of %j %s: route %d", async (...[condition, headers, body, route]) => {
    await using plane = await startPair([condition]);
    expect(chosen((await plane.send("/x", { method: "POST", headers, body })).status)).toBe(route);
  });

  test("are read from multipart forms, the last part of a name counting", async () => {
    await using plane = await startPair([["post_arg.a", "==", "2"]]);
    const part = (name: string, value: string) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const headers = { "Content-Type": "multipart/form-data; boundary=b" };
    const send = async (body: string) => chosen((await plane.send("/x", { method: "POST", headers, body })).status);
    expect(await send(`${part("a", "1")}${part("a", "2")}--b--`)).toBe(1);
    expect(await send(`${part("a", "2")}${part("b", "1")}--b--\r\n${part("a", "3")}`)).toBe(1);
    expect(await send(`${part("b", "2")}--b--`)).toBe(2);
  });

  test("a body that was looked into reaches the upstream whole, declared or chunked", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    await plane.put("routes/1", {
      uri: "/x",
      vars: [["post_arg.a", "==", 1]],
      upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } },
    });
    const body = '{"a":1}';
    expect((await plane.send("/x", { method: "POST", headers: JSON_TYPE, body })).status).toBe(200);
    expect((await upstream.request()).body.toString()).toBe(body);
    const answer = await plane.raw(
      "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n" +
        'Transfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect((await upstream.request()).body.toString()).toBe(body);
  });

  test("a body over the bound has none, and is streamed to the upstream unharmed", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane({ bodyVariables: { postArgumentBytes: 8, graphqlBytes: 8 } });
    await plane.put("routes/1", {
      uri: "/x",
      vars: [["post_arg_a", "!", "==", "1"]],
      upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } },
    });
    const body = "a=1&b=12345678901234567890";
    expect((await plane.send("/x", { method: "POST", headers: FORM, body })).status).toBe(200);
    expect((await upstream.request()).body.toString()).toBe(body);
    const chunks = ["a=1&", "b=1234567", "8901234567890"].map((one) => `${one.length.toString(16)}\r\n${one}\r\n`);
    const answer = await plane.raw(
      `POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${FORM["Content-Type"]}\r\n` +
        `Transfer-Encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect((await upstream.request()).body.toString()).toBe(body);
  });

  test("decide by `_meta.filter` whether a plugin runs, in all of its phases", async () => {
    const answer = definePlugin({
      name: "answer",
      version: 1,
      priority: 1,
      schema: z.object({}),
      setup: () => ({
        access: () => ({ kind: "reply", status: 202 }),
        headerFilter: ({ response }) => {
          response.headers.set("X-Ran", "yes");
          return undefined;
        },
      }),
    });
    await using plane = await startPlane({ catalog: catalogWith(answer) });
    const filter = [["post_arg.a", "!", "==", 1]];
    await plane.put("routes/1", { uri: "/x", plugins: { answer: { _meta: { filter } } } });
    const send = (body: string) => plane.send("/x", { method: "POST", headers: JSON_TYPE, body });
    expect(await send('{"a":2}')).toMatchObject({ status: 202, headers: { "x-ran": "yes" } });
    const passed = await send('{"a":1}');
    expect(passed.status).toBe(503);
    expect(passed.headers["x-ran"]).toBeUndefined();
  });

  test("a request whose candidates ask for no body is routed before its body arrives", async () => {
    await using plane = await startPlane();
    await plane.put("routes/1", { uri: "/x", methods: ["PUT"], vars: [["post_arg_a", "==", "1"]], plugins: {} });
    await plane.put("routes/2", { uri: "/y", vars: [["post_arg_a", "==", "1"]], plugins: {} });
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(plane.portOf(), "127.0.0.1");
      socket.write(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM["Content-Type"]}\r\nContent-Length: 3\r\n\r\n`);
      socket.once("data", (data) => {
        resolve(data.toString());
        socket.destroy();
      });
    });
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
  });

  test("a client that leaves in the middle of such a body is logged with 499", async () => {
    await using plane = await startPair([["post_arg_a", "==", "1"]]);
    const socket = connect(plane.portOf(), "127.0.0.1");
    socket.write(
      `POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM["Content-Type"]}\r\nContent-Length: 100\r\n\r\na=1`,
    );
    await eventually(() => expect(plane.lines.length).toBeGreaterThan(0));
    socket.resetAndDestroy();
    await eventually(() => expect(plane.accessLog.join("")).toContain('"POST /x HTTP/1.1" 499 '));
  });

  test("a route whose path cannot be read is not in use, and says why", async () => {
    await using plane = await startPair([["post_arg.a[?(f(@))]", "!", "has", 1]]);
    expect((await plane.send("/x")).status).toBe(404);
    expect(plane.plane.diagnostics).toMatchObject([
      { kind: "route", id: "1", severity: "error", code: "UNSUPPORTED_FIELD", path: "vars" },
    ]);
  });
});

describe("graphql variables", () => {
  const mutation = "mutation repo($e: E!) { createReview(e: $e) { stars } other { id } }";

  test.each([
    [["graphql_name", "==", "repo"], {}, "query repo { owner { name } }", 1],
    [["graphql_name", "==", ""], {}, "{ owner { name } }", 1],
    [["graphql_operation", "==", "query"], {}, "{ owner { name } }", 1],
    [["graphql_operation", "==", "mutation"], {}, mutation, 1],
    [["graphql_root_fields", "has", "other"], {}, mutation, 1],
    [["graphql_root_fields", "has", "stars"], {}, mutation, 2],
    [["graphql_name", "==", "repo"], {}, "query repo { a } query other { b }", 1],
    [["graphql_name", "==", "other"], {}, "query repo { a } query other { b }", 2],
    [["graphql_name", "==", "repo"], JSON_TYPE, '{"query":"query repo { a }"}', 1],
    [["graphql_name", "==", "repo"], JSON_TYPE, "query repo { a }", 2],
    [["graphql_name", "==", "repo"], { "Content-Type": "application/json; charset=utf-8" }, "query repo { a }", 1],
    [["graphql_name", "~=", "x"], {}, "nonsense", 1],
    [["graphql_name", "==", ""], {}, "nonsense", 2],
    [["graphql_nonsense", "==", "x"], {}, "{ a }", 2],
  ])("%j of %j %s: route %d", async (...[condition, headers, body, route]) => {
    await using plane = await startPair([condition]);
    expect(chosen((await plane.send("/x", { method: "POST", headers, body })).status)).toBe(route);
  });

  test("are read from the query of a GET, the first one of several, and of no other method", async () => {
    await using plane = await startPair([["graphql_name", "==", "repo"]]);
    const query = encodeURIComponent("query repo { owner { name } }");
    expect(chosen((await plane.send(`/x?query=${query}`)).status)).toBe(1);
    expect(chosen((await plane.send(`/x?query=${query}&query=x`)).status)).toBe(1);
    expect(chosen((await plane.send("/x?query")).status)).toBe(2);
    expect(chosen((await plane.send("/x")).status)).toBe(2);
    expect(chosen((await plane.send(`/x?query=${query}`, { method: "DELETE" })).status)).toBe(2);
  });

  test("a document over the bound has none", async () => {
    await using plane = await startPair([["graphql_name", "==", "repo"]], {
      bodyVariables: { postArgumentBytes: 0, graphqlBytes: 8 },
    });
    expect(chosen((await plane.send("/x", { method: "POST", body: "query repo { a }" })).status)).toBe(2);
  });
});

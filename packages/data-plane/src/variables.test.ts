import { connect } from "node:net";
import { hostname } from "node:os";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { startPlane } from "./testing/running-plane.ts";

const basic = (credentials: string) => ({ Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` });

describe("a variable of the request", () => {
  test.each<[string, unknown, Record<string, string>?]>([
    ["remote_user", "jack", basic("jack:secret:x")],
    ["remote_user", "", basic(":secret")],
    ["server_name", "_"],
    ["hostname", hostname()],
    ["pid", String(process.pid)],
    ["connection_requests", "1"],
  ])("%s is known to routes: %j", async (name, value, headers = {}) => {
    await using plane = await startPlane();
    const upstream = { nodes: {} };
    await plane.put("routes/1", { uri: "/x", vars: [[name, "==", value]], upstream });
    expect(plane.plane.diagnostics).toEqual([]);
    expect((await plane.send("/x", { headers })).status).toBe(503);
  });

  test.each(["msec", "time_iso8601", "time_local", "connection", "request_id"])(
    "%s is known to routes, whatever it is",
    async (name) => {
      await using plane = await startPlane();
      await plane.put("routes/1", { uri: "/x", vars: [[name, "~~", "^[0-9a-f]+"]], upstream: { nodes: {} } });
      expect((await plane.send("/x")).status).toBe(503);
    },
  );

  test("msec is the time", async () => {
    await using plane = await startPlane();
    const now = Math.floor(Date.now() / 1000);
    const vars = [
      ["msec", ">=", now],
      ["msec", "<", now + 600],
    ];
    await plane.put("routes/1", { uri: "/x", vars, upstream: { nodes: {} } });
    expect((await plane.send("/x")).status).toBe(503);
  });

  test.each([[{}], [{ Authorization: "Bearer jack:secret" }], [basic("no colon")]])(
    "remote_user is absent without a user: %j",
    async (headers) => {
      await using plane = await startPlane();
      await plane.put("routes/1", { uri: "/x", vars: [["remote_user", "~~", "."]], upstream: { nodes: {} } });
      expect((await plane.send("/x", { headers: headers as Record<string, string> })).status).toBe(404);
    },
  );

  test("connection tells connections apart, and connection_requests counts the requests on each", async () => {
    const accessLogTemplate = "$connection $connection_requests $remote_user";
    await using plane = await startPlane({ accessLogTemplate });
    const request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const count of [2, 1]) {
      const socket = connect(plane.portOf(), "127.0.0.1");
      socket.write(request.repeat(count - 1) + request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve));
    }
    const lines = plane.accessLog.map((line) => line.trim().split(" "));
    expect(lines.map(([, requests, user]) => `${requests} ${user}`)).toEqual(["1 -", "2 -", "1 -"]);
    expect(lines[0]?.[0]).toBe(lines[1]?.[0]);
    expect(lines[2]?.[0]).not.toBe(lines[0]?.[0]);
  });

  test("remote_user is in APISIX's log line, harmless", async () => {
    await using plane = await startPlane();
    await plane.send("/x", { headers: basic('ja"ck:x') });
    expect(plane.accessLog[0]).toMatch(/^127\.0\.0\.1 - ja\\x22ck \[/);
  });
});

describe("a variable that cannot be there", () => {
  test.each(["uri_param_id", "route_id", "status", "nginx_version", "ssl_early_data", "request_length"])(
    "%s is told by name, and its route is in use",
    async (name) => {
      await using plane = await startPlane();
      const vars = ["OR", [name, "==", "1"], ["arg_x", "==", "1"]];
      await plane.put("routes/1", { uri: "/x", vars, upstream: { nodes: {} } });
      expect(plane.plane.diagnostics).toMatchObject([
        { kind: "route", id: "1", severity: "warning", code: "UNSUPPORTED_FIELD", path: "vars" },
      ]);
      expect(plane.plane.diagnostics[0]?.message).toContain(` ${name} `);
      expect((await plane.send("/x?x=1")).status).toBe(503);
    },
  );

  test("mqtt_client_id as a hash's key is told, and clients' addresses take its place", async () => {
    await using upstream = await startEchoUpstream();
    await using plane = await startPlane();
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    await plane.put("upstreams/u", { type: "chash", key: "mqtt_client_id", nodes });
    expect(plane.plane.diagnostics).toMatchObject([{ kind: "upstream", id: "u", path: "upstream.key" }]);
  });
});

describe("a hash over variables", () => {
  test.each(["hostname", "server_name", "remote_addr", "server_addr", "host", "uri"])(
    "goes by %s: the same value, the same node",
    async (key) => {
      await using one = await startEchoUpstream();
      await using two = await startEchoUpstream();
      await using plane = await startPlane();
      const nodes = { [`127.0.0.1:${one.port}`]: 1, [`127.0.0.1:${two.port}`]: 1 };
      await plane.put("routes/1", { uri: "/x", upstream: { type: "chash", key, nodes } });
      for (let call = 0; call < 6; call += 1) await plane.send(`/x?call=${call}`);
      expect([one.requests.length, two.requests.length].toSorted()).toEqual([0, 6]);
    },
  );
});

import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_BODY_BYTES } from "./request-body.ts";
import { ADMIN_KEY, AdminHarness } from "./testing/admin-harness.ts";

const ROUTE = { uri: "/hi", plugins: {} };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

describe("headers", () => {
  it("every answer names the server, its media type and the CORS rules", async () => {
    for (const [method, path] of [
      ["GET", "/routes"],
      ["GET", "/routes/nope"],
      ["GET", "/nope"],
      ["HEAD", "/routes"],
      ["GET", "//elsewhere"],
    ] as const) {
      const { headers } = await admin.call(method, path);
      expect(headers).toMatchObject({
        server: "APISIX/3.18.0",
        "content-type": "application/json",
        "access-control-allow-origin": "*",
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "*",
        "access-control-max-age": "3600",
      });
      expect(headers).not.toHaveProperty("x-powered-by");
      expect(headers).not.toHaveProperty("etag");
    }
  });

  it.each([
    ["GET", "/routes", undefined],
    ["GET", "/routes/nope", undefined],
    ["PUT", "/routes/1", {}],
    ["GET", "/schema/route", undefined],
    ["GET", "/plugins/tag", undefined],
  ])("%s %s reached a resource handler and says the version", async (method, path, body) => {
    expect((await admin.call(method, path, { body })).headers).toHaveProperty("x-api-version", "v3");
  });

  it.each([
    ["GET", "/nope", undefined],
    ["PUT", "/routes/1", "{bad"],
    ["GET", "/routes?ttl=x", undefined],
    ["GET", "/stream_routes", undefined],
    ["PUT", "/plugins/tag", {}],
    ["GET", "/plugins/list", undefined],
    ["POST", "/schema/validate/routes", {}],
    ["HEAD", "", undefined],
  ])("%s %s reached none and does not", async (method, path, body) => {
    expect((await admin.call(method, path, { body })).headers).not.toHaveProperty("x-api-version");
  });

  it("a preflight needs no key and gets the CORS rules as plain text", async () => {
    const answer = await admin.call("OPTIONS", "/routes/1", { isAnonymous: true });
    expect(answer).toMatchObject({
      status: 200,
      text: "",
      headers: {
        "content-length": "0",
        "content-type": "text/plain",
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "POST, GET, PUT, OPTIONS, DELETE, PATCH",
        "access-control-max-age": "3600",
        "access-control-allow-headers": "*",
        "access-control-allow-credentials": "true",
      },
    });
    expect(answer.headers).not.toHaveProperty("access-control-expose-headers");
  });

  it("without CORS there are no such headers and a preflight finds nothing", async () => {
    await using plain = await AdminHarness.start({ isCorsEnabled: false, serverHeader: "APISIX" });
    const list = await plain.call("GET", "/routes");
    expect(Object.keys(list.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(list.headers).toHaveProperty("server", "APISIX");
    expect((await plain.call("OPTIONS", "/routes")).status).toBe(404);
  });
});

describe("paths", () => {
  it.each([
    ["GET", "/routes/"],
    ["GET", "//apisix//admin///routes"],
    ["GET", "//apisix/admin%2Froutes"],
    ["GET", "//apisix/x/../admin/./routes"],
  ])("%s %s is the list of routes", async (method, path) => {
    expect(await admin.call(method, path)).toMatchObject({ status: 200, json: { total: expect.any(Number) } });
  });

  it("segments behind the id are ignored except by PATCH", async () => {
    await admin.call("PUT", "/routes/tail/x/y", { body: ROUTE });
    expect(await admin.call("GET", "/routes/tail/z")).toMatchObject({
      status: 200,
      json: { key: "/apisix/routes/tail" },
    });
    expect(await admin.call("DELETE", "/routes/tail/z")).toMatchObject({ status: 200 });
  });

  it.each([
    ["GET", "", 404],
    ["GET", "foo/routes", 404],
    ["GET", "//", 404],
    ["HEAD", "/routes", 404],
    ["PURGE", "/routes", 404],
    ["GET", "//apisix/admin/%", 400],
    ["GET", "//../apisix/admin", 400],
  ])("%s %s answers %i", async (method, path, status) => {
    expect((await admin.call(method, path)).status).toBe(status);
  });
});

describe("body limit", () => {
  const filled = (bytes: number) => {
    const start = '{"uri":"/big","plugins":{},"desc":"';
    return `${start}${"x".repeat(bytes - start.length - 2)}"}`;
  };

  it("a body of exactly the limit is read", async () => {
    const { status, json } = await admin.call("PUT", "/routes/big", { body: filled(MAX_BODY_BYTES) });
    expect(status).toBe(400);
    expect(json).toMatchObject({ error_msg: expect.stringContaining("string too long") });
  });

  it.each([false, true])("a larger body is refused (chunked: %s) and nothing is stored", async (isChunked) => {
    const { status, json } = await admin.call("PUT", "/routes/big", { body: filled(MAX_BODY_BYTES + 1), isChunked });
    expect(status).toBe(400);
    expect(json).toEqual({
      error_msg: `invalid request body: request size ${MAX_BODY_BYTES + 1} is greater than the maximum size 1572864 allowed`,
    });
    expect(await admin.keys("routes")).not.toContain("/apisix/routes/big");
  });

  it("a declared length is enough to refuse before the body comes, even where the client waits to be asked", async () => {
    const socket = connect(admin.port, "127.0.0.1");
    socket.write(
      `PUT /apisix/admin/routes/1 HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${ADMIN_KEY}\r\nContent-Length: 2000000000\r\nExpect: 100-continue\r\n\r\n`,
    );
    const head = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(head).toContain("Connection: close");
    socket.destroy();
  });

  it("a client that waits to be asked for an acceptable body is asked", async () => {
    const body = JSON.stringify(ROUTE);
    const socket = connect(admin.port, "127.0.0.1");
    socket.write(
      `PUT /apisix/admin/routes/asked HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-API-KEY: ${ADMIN_KEY}\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    const invitation = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
    expect(invitation).toMatch(/^HTTP\/1\.1 100 /);
    socket.write(body);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 201 /);
  });

  it("a client that leaves in the middle of its body does no harm", async () => {
    const socket = connect(admin.port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(
      `PUT /apisix/admin/routes/gone HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${ADMIN_KEY}\r\nContent-Length: 100\r\n\r\n{"uri"`,
      () => socket.destroy(),
    );
    await closed;
    expect((await admin.call("GET", "/routes/gone")).status).toBe(404);
  });

  it("a refused request leaves its connection usable when its body was small", async () => {
    const socket = connect(admin.port, "127.0.0.1");
    const refused = "PUT /apisix/admin/routes/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    socket.write(
      `${refused}GET /apisix/admin/routes HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${ADMIN_KEY}\r\nConnection: close\r\n\r\n`,
    );
    const answers = await text(socket);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 401", "HTTP/1.1 200"]);
  });
});

describe("bodies", () => {
  it.each([
    ["GET", "/routes"],
    ["DELETE", "/routes/1"],
    ["POST", "/schema/validate/routes"],
  ])("%s %s must carry JSON if anything", async (method, path) => {
    expect(await admin.call(method, path, { body: "{'a':1}" })).toMatchObject({
      status: 400,
      json: {
        error_msg: "invalid request body: Expected object key string but found invalid token at character 2",
        req_body: "{'a':1}",
      },
    });
  });

  it("the Content-Type does not matter", async () => {
    const headers = { "Content-Type": "text/xml; charset=nonsense" };
    expect((await admin.call("PUT", "/routes/typed", { body: ROUTE, headers })).status).toBe(201);
  });

  it("a body in chunks is read", async () => {
    expect((await admin.call("PUT", "/routes/chunked", { body: ROUTE, isChunked: true })).status).toBe(201);
  });

  it("raw line feeds in strings are taken as APISIX takes them", async () => {
    const answer = await admin.call("PUT", "/routes/raw", { body: '{"uri":"/raw","plugins":{},"desc":"a\nb"}' });
    expect(answer).toMatchObject({ status: 201, json: { value: { desc: "a\nb" } } });
  });
});

describe("allowed peers", () => {
  it("a peer outside the list gets 403 and learns nothing else", async () => {
    await using closed = await AdminHarness.start({ allowedAddresses: ["10.0.0.0/8"] });
    const answer = await closed.call("HEAD", "");
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty("server");
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("a peer inside the list is served", async () => {
    await using open = await AdminHarness.start({ allowedAddresses: ["127.0.0.0/24"] });
    expect((await open.call("GET", "/routes")).status).toBe(200);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

/** Configurations of the plugin and the words of APISIX's validator about them. */
const REFUSED: readonly (readonly [config: unknown, text: string])[] = [
  [{}, 'property "function_uri" is required'],
  [{ function_uri: 30_858 }, 'property "function_uri" validation failed: wrong type: expected string, got number'],
  [{ function_uri: "http://h", timeout: 99 }, 'property "timeout" validation failed: expected 99 to be at least 100'],
  [
    { function_uri: "http://h", timeout: "3000" },
    'property "timeout" validation failed: wrong type: expected integer, got string',
  ],
  [
    { function_uri: "http://h", timeout: 100.5 },
    'property "timeout" validation failed: wrong type: expected integer, got number',
  ],
  [
    { function_uri: "http://h", keepalive_timeout: 999 },
    'property "keepalive_timeout" validation failed: expected 999 to be at least 1000',
  ],
  [
    { function_uri: "http://h", keepalive_pool: 0 },
    'property "keepalive_pool" validation failed: expected 0 to be at least 1',
  ],
  [
    { function_uri: "http://h", max_req_body_size: 0 },
    'property "max_req_body_size" validation failed: expected 0 to be at least 1',
  ],
  [
    { function_uri: "http://h", ssl_verify: "yes" },
    'property "ssl_verify" validation failed: wrong type: expected boolean, got string',
  ],
  [
    { function_uri: "http://h", authorization: { service_token: 12 } },
    'property "authorization" validation failed: property "service_token" validation failed: wrong type: expected string, got number',
  ],
  [["http://h"], "wrong type: expected object, got table"],
];

describe.each(MODES)("a wrong configuration of the plugin (%s)", (mode) => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway(mode);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const routeWith = (openfunction: unknown) => ({ uri: "/wrong", plugins: { openfunction } });

  it.each(REFUSED)("is refused: %j", async (config, text) => {
    const answer = await gateway.admin.send("PUT", "/routes/wrong", routeWith(config));
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error_msg: `failed to check the configuration of plugin openfunction err: ${text}` });
  });

  it.each(["text", 12])("is refused when it is no object: %j", async (config) => {
    const answer = await gateway.admin.send("PUT", "/routes/wrong", routeWith(config));
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error_msg: expect.stringContaining(`invalid plugin conf ${JSON.stringify(config)} for plugin [openfunction]`),
    });
  });

  it("is not stored", async () => {
    await gateway.admin.send("PUT", "/routes/wrong", routeWith({}));
    expect((await gateway.admin.send("GET", "/routes/wrong")).status).toBe(404);
  });

  it.each([
    { function_uri: "" },
    { function_uri: "ftp://h/x" },
    { function_uri: "host/path" },
    { function_uri: "http://h", timeout: 100.0, unknown: [1, 2] },
    { function_uri: "http://h", authorization: {} },
  ])("is not meant by that: %j is taken", async (config) => {
    const answer = await gateway.admin.send("PUT", "/routes/right", routeWith(config));
    expect(answer.status).toBeLessThan(300);
    expect(answer.body).toMatchObject({ value: { plugins: { openfunction: config } } });
  });

  it("is no plugin that does not exist", async () => {
    const answer = await gateway.admin.send("PUT", "/routes/wrong", { uri: "/x", plugins: { "no-such-plugin": {} } });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error_msg: expect.stringContaining("unknown plugin [no-such-plugin]") });
  });
});

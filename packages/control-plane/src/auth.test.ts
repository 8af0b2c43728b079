import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN_KEY, AdminHarness, VIEWER_KEY } from "./testing/admin-harness.ts";

const MISSING = { error_msg: "failed to check token", description: "missing apikey" };
const WRONG = { error_msg: "failed to check token", description: "wrong apikey" };
const VIEWER = { error_msg: "failed to check token", description: "invalid method for role viewer" };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

describe("where the key is read from", () => {
  it.each([
    ["the header", "", { "X-API-KEY": ADMIN_KEY }],
    ["the header in underscores", "", { X_API_KEY: ADMIN_KEY }],
    ["the query", `?api_key=${ADMIN_KEY}`, {}],
    ["the cookie", "", { Cookie: `a=b; x_api_key=${ADMIN_KEY}` }],
    ["the query although the header is wrong", `?api_key=${ADMIN_KEY}`, { "X-API-KEY": "wrong" }],
    ["the header although the cookie is wrong", "", { "X-API-KEY": ADMIN_KEY, Cookie: "x_api_key=wrong" }],
  ])("%s is accepted", async (_title, query, headers) => {
    expect((await admin.call("GET", `/routes${query}`, { isAnonymous: true, headers })).status).toBe(200);
  });

  it.each<[string, string, { headers: Record<string, string>; json: object }]>([
    ["nothing", "", { headers: {}, json: MISSING }],
    ["a cookie spelled like the header", "", { headers: { Cookie: `X-API-KEY=${ADMIN_KEY}` }, json: MISSING }],
    ["a key behind a second question mark", `??api_key=${ADMIN_KEY}`, { headers: {}, json: MISSING }],
    ["an unknown key", "", { headers: { "X-API-KEY": "wrong" }, json: WRONG }],
    ["an empty header", "", { headers: { "X-API-KEY": "" }, json: WRONG }],
    ["a key with more behind it", "", { headers: { "X-API-KEY": `${ADMIN_KEY}x` }, json: WRONG }],
    ["a wrong query although the header is right", "?api_key=no", { headers: { "X-API-KEY": ADMIN_KEY }, json: WRONG }],
    ["an empty query although the header is right", "?api_key", { headers: { "X-API-KEY": ADMIN_KEY }, json: WRONG }],
  ])("%s is refused", async (_title, query, { headers, json }) => {
    const answer = await admin.call("GET", `/routes${query}`, { isAnonymous: true, headers });
    expect(answer).toMatchObject({ status: 401, json });
    expect(answer.headers).not.toHaveProperty("x-api-version");
  });
});

describe("roles", () => {
  it.each(["PUT", "POST", "PATCH", "DELETE"])("a viewer's %s is refused", async (method) => {
    const headers = { "X-API-KEY": VIEWER_KEY };
    expect(await admin.call(method, "/routes/1", { headers })).toMatchObject({ status: 401, json: VIEWER });
  });

  it("a viewer's POST that would only validate is refused too", async () => {
    const options = { headers: { "X-API-KEY": VIEWER_KEY }, body: {} };
    expect(await admin.call("POST", "/schema/validate/routes", options)).toMatchObject({ status: 401, json: VIEWER });
  });

  it("a role of any other name may write", async () => {
    await using open = await AdminHarness.start({ keys: [{ name: "ci", key: ADMIN_KEY, role: "deployer" }] });
    expect((await open.call("PUT", "/services/1", { body: {} })).status).toBe(201);
  });
});

describe("the key comes first", () => {
  it.each([
    ["GET", "/nope"],
    ["PUT", "/routes/1"],
    ["GET", "/stream_routes"],
    ["GET", "/schema/nope"],
    ["GET", "/plugins/list"],
    ["PUT", "/plugins/x"],
    ["POST", "/schema/validate/nope"],
  ])("%s %s without a key answers 401 whatever else is wrong", async (method, path) => {
    const answer = await admin.call(method, path, { isAnonymous: true, body: "{bad" });
    expect(answer).toMatchObject({ status: 401, json: MISSING });
  });
});

describe("without keys", () => {
  it.each([{ keys: [] }, { isKeyRequired: false }])("%j lets everyone in on loopback", async (options) => {
    await using open = await AdminHarness.start(options);
    expect((await open.call("PUT", "/services/1", { isAnonymous: true, body: {} })).status).toBe(201);
  });

  it("a configured empty key opens nothing", async () => {
    await using closed = await AdminHarness.start({ keys: [{ name: "admin", key: "", role: "admin" }] });
    const options = { isAnonymous: true, headers: { "X-API-KEY": "" } };
    expect(await closed.call("GET", "/routes", options)).toMatchObject({ status: 401, json: WRONG });
  });
});

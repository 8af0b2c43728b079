import { describe, expect, it } from "vitest";
import type { AdminKey, ControlPlaneOptions } from "./options.ts";
import { AdminHarness, type Answer } from "./testing/admin-harness.ts";

const KNOWN: AdminKey = { name: "admin", key: "edd1c9f034335f136f87ad84b625c8f1", role: "admin" };
const OWN: AdminKey = { name: "own", key: "a-key-of-one's-own", role: "admin" };
const PAGE = "http://page.example";
const BODY = { uri: "/hi", plugins: {} };

async function put(options: Partial<ControlPlaneOptions>, headers: (port: number) => Record<string, string>) {
  await using admin = await AdminHarness.start(options);
  const key = options.keys?.[0]?.key ?? "";
  const answer = await admin.call("PUT", "/routes/1", {
    body: BODY,
    headers: { "X-API-KEY": key, ...headers(admin.port) },
  });
  return { ...answer, keys: await admin.keys("routes") };
}

describe("with a key that everybody knows", () => {
  it.each([
    ["the published key", { keys: [KNOWN] }],
    ["the published key beside another", { keys: [OWN, KNOWN] }],
    ["no key", { keys: [] }],
    ["a key that is not required", { keys: [OWN], isKeyRequired: false }],
  ])("(%s) a web page of another origin writes nothing and is told why", async (_, options) => {
    const answer = await put(options, () => ({ Origin: PAGE }));
    expect(answer.status).toBe(403);
    expect(answer.json).toEqual({ error_msg: expect.stringMatching(/page\.example.*enable_admin_cors: true/) });
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
    expect(answer.keys).toEqual([]);
  });

  it("its preflight and its reads are refused too", async () => {
    await using admin = await AdminHarness.start({ keys: [KNOWN] });
    const headers = { Origin: PAGE, "X-API-KEY": KNOWN.key };
    expect((await admin.call("OPTIONS", "/routes/1", { headers })).status).toBe(403);
    expect((await admin.call("GET", "/routes", { headers })).status).toBe(403);
  });

  it.each([
    ["null", (port: number) => ({ Origin: "null", Host: `127.0.0.1:${port}` })],
    ["another port", (port: number) => ({ Origin: "http://127.0.0.1:1", Host: `127.0.0.1:${port}` })],
    ["a name that points here", () => ({ Origin: "http://rebound.example:9180", Host: "rebound.example:9180" })],
  ])("the origin %s is another one", async (_, headers) => {
    expect((await put({ keys: [KNOWN] }, headers)).status).toBe(403);
  });

  it.each(["127.0.0.1", "localhost", "[::1]"])("a page of the Admin API itself at %s may write", async (host) => {
    const answer = await put({ keys: [KNOWN] }, (port) => ({
      Origin: `http://${host}:${port}`,
      Host: `${host}:${port}`,
    }));
    expect(answer.status).toBe(201);
  });

  it("clients without an origin are not concerned", async () => {
    expect((await put({ keys: [KNOWN] }, () => ({}))).status).toBe(201);
  });

  it("other origins may be allowed explicitly", async () => {
    const answer: Answer = await put({ keys: [KNOWN], isCrossOriginAllowed: true }, () => ({ Origin: PAGE }));
    expect(answer).toMatchObject({ status: 201, headers: { "access-control-allow-origin": "*" } });
  });
});

it("with a key of one's own every origin may ask, as in APISIX", async () => {
  const answer: Answer = await put({ keys: [OWN] }, () => ({ Origin: PAGE }));
  expect(answer).toMatchObject({ status: 201, headers: { "access-control-allow-origin": "*" } });
});

import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { keyAuth } from "../key-auth/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { consumerRestriction } from "./index.ts";
import { consumerRestrictionSchema } from "./schema.ts";

describePlugin(consumerRestriction, { folder: import.meta.dirname, config: { whitelist: ["jack"] } });

describeSchema(consumerRestrictionSchema, {
  defaults: [{ whitelist: ["jack"] }, { type: "consumer_name", whitelist: ["jack"], rejected_code: 403 }],
  accepts: [
    { type: "consumer_group_id", blacklist: ["a"], whitelist: ["b"], rejected_code: 999, rejected_msg: "", other: 1 },
    { allowed_by_methods: [] },
    { allowed_by_methods: [{}, { user: "jack", methods: ["GET", "PURGE"] }] },
  ],
  refuses: [
    [{}, "object matches none of the required"],
    [{ whitelist: [] }, "whitelist"],
    [{ blacklist: [1] }, "blacklist.0"],
    [{ blacklist: ["a"], type: "user" }, "type"],
    [{ blacklist: ["a"], rejected_code: 199 }, "rejected_code"],
    [{ allowed_by_methods: [{ user: "jack", methods: [] }] }, "allowed_by_methods.0.methods"],
    [{ allowed_by_methods: [{ user: "jack", methods: ["get"] }] }, "allowed_by_methods.0.methods.0"],
  ],
});

type Config = Readonly<Record<string, unknown>>;

/** A gateway with route 1 of service 7 and two consumers, of whom jack is in a group. */
async function startWith(config: Config, others: Config = { "key-auth": {} }) {
  const gateway = await runGateway({
    plugins: [keyAuth, consumerRestriction],
    services: { 7: {} },
    consumerGroups: { staff: { plugins: {} } },
    consumers: {
      jack: { group_id: "staff", plugins: { "key-auth": { key: "jack" } } },
      rose: { plugins: { "key-auth": { key: "rose" } } },
    },
  });
  await gateway.put("routes/1", {
    uri: "/*",
    service_id: "7",
    upstream: { nodes: { [`127.0.0.1:${gateway.upstream.port}`]: 1 } },
    plugins: { ...others, "consumer-restriction": config },
  });
  return gateway;
}

const FORBIDDEN = { status: 403, body: '{"message":"The consumer_name is forbidden."}\n' };

describe("consumer-restriction", () => {
  it.each([
    { config: { whitelist: ["jack"] }, jack: 200, rose: 403 },
    { config: { blacklist: ["jack"] }, jack: 403, rose: 200 },
    { config: { blacklist: ["jack"], whitelist: ["jack", "rose"] }, jack: 403, rose: 200 },
    { config: { allowed_by_methods: [{ user: "jack", methods: ["POST"] }] }, jack: 403, rose: 200 },
    { config: { allowed_by_methods: [{ user: "jack", methods: ["POST", "GET"] }] }, jack: 200, rose: 200 },
    { config: { allowed_by_methods: [{ user: "jack" }] }, jack: 403, rose: 200 },
    { config: { allowed_by_methods: [] }, jack: 200, rose: 200 },
    {
      config: {
        allowed_by_methods: [
          { user: "jack", methods: ["POST"] },
          { user: "jack", methods: ["GET"] },
        ],
      },
      jack: 403,
      rose: 200,
    },
    {
      config: { whitelist: ["jack"], allowed_by_methods: [{ user: "jack", methods: ["POST"] }] },
      jack: 200,
      rose: 403,
    },
    { config: { type: "route_id", whitelist: ["1"] }, jack: 200, rose: 200 },
    { config: { type: "service_id", blacklist: ["7"] }, jack: 403, rose: 403 },
    { config: { type: "consumer_group_id", whitelist: ["staff"] }, jack: 200, rose: 401 },
  ])("under $config answers jack with $jack and rose with $rose", async ({ config, jack, rose }) => {
    await using gateway = await startWith(config);
    const answers = [await gateway.get("/", { apikey: "jack" }), await gateway.get("/", { apikey: "rose" })];
    expect(answers.map(({ status }) => status)).toEqual([jack, rose]);
  });

  it("says in a refusal what was looked at, or what it was told to say", async () => {
    await using gateway = await startWith({ blacklist: ["jack"] });
    expect(await gateway.get("/", { apikey: "jack" })).toMatchObject(FORBIDDEN);
    const told = { type: "route_id", blacklist: ["1"], rejected_code: 418, rejected_msg: "no" };
    await gateway.put("routes/1", { uri: "/*", plugins: { "consumer-restriction": told } });
    expect(await gateway.get("/")).toMatchObject({ status: 418, body: '{"message":"no"}\n' });
    expect(gateway.upstream.requests).toEqual([]);
  });

  it.each(["consumer_name", "consumer_group_id"])("answers 401 when there is no %s", async (type) => {
    await using gateway = await startWith({ type, blacklist: ["jack"] }, {});
    const message = `The request is rejected, please check the ${type} for this request`;
    expect(await gateway.get("/")).toMatchObject({ status: 401, body: `${JSON.stringify({ message })}\n` });
  });
});

import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { uaRestriction } from "./index.ts";
import { uaRestrictionSchema } from "./schema.ts";

describePlugin(uaRestriction, { folder: import.meta.dirname, config: { denylist: ["bot"] } });

describeSchema(uaRestrictionSchema, {
  defaults: [{ denylist: ["a"] }, { denylist: ["a"], bypass_missing: false, message: "Not allowed" }],
  accepts: [{ allowlist: ["^curl/", "(Baidu|Google)bot"], bypass_missing: true, message: "no" }],
  refuses: [
    [{}, "value should match only one schema, but matches none"],
    [{ allowlist: ["a"], denylist: ["b"] }, "value should match only one schema, but matches both schemas 1 and 2"],
    [{ allowlist: "a" }, "allowlist"],
    [{ denylist: [1] }, "denylist.0"],
    [{ denylist: [""] }, "denylist.0"],
    [{ denylist: ["("] }, 'invalid regular expression "(": error parsing regexp: missing closing ): `(`'],
    [{ denylist: ["a"], bypass_missing: "yes" }, "bypass_missing"],
  ],
});

describe("ua-restriction", () => {
  it.each([
    [{ denylist: ["my-bot1", "(Baidu)bot"] }, "Mozilla Baidubot/2", 403],
    [{ denylist: ["my-bot1", "(Baidu)bot"] }, "curl/8", 200],
    [{ allowlist: ["^curl/"] }, "  curl/8 ", 200],
    [{ allowlist: ["^curl/"] }, "Mozilla", 403],
  ])("under %j answers %j with %i", async (config, agent, status) => {
    await using gateway = await gatewayWith(uaRestriction, config);
    expect((await gateway.get("/", { "user-agent": agent })).status).toBe(status);
  });

  it("refuses requests without the field, unless told to let them through", async () => {
    await using strict = await gatewayWith(uaRestriction, { denylist: ["bot"], message: "who are you?" });
    expect(await strict.get("/")).toMatchObject({ status: 403, body: '{"message":"who are you?"}\n' });
    await using lenient = await gatewayWith(uaRestriction, { allowlist: ["curl"], bypass_missing: true });
    expect((await lenient.get("/")).status).toBe(200);
  });

  it("takes time linear in the text for patterns that make other engines backtrack", async () => {
    await using gateway = await gatewayWith(uaRestriction, { denylist: ["^(a+)+$"] });
    expect((await gateway.get("/", { "user-agent": `${"a".repeat(5_000)}!` })).status).toBe(200);
  });
});

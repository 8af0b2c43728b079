import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { refererRestriction } from "./index.ts";
import { refererRestrictionSchema } from "./schema.ts";

describePlugin(refererRestriction, { folder: import.meta.dirname, config: { whitelist: ["*.example.com"] } });

describeSchema(refererRestrictionSchema, {
  defaults: [
    { whitelist: ["*"] },
    { whitelist: ["*"], bypass_missing: false, message: "Your referer host is not allowed" },
  ],
  accepts: [{ blacklist: ["*.bad.example", "worse.example", "_x.y"], bypass_missing: true, message: "no" }],
  refuses: [
    [{}, "value should match only one schema, but matches none"],
    [{ whitelist: ["a"], blacklist: ["a"] }, "value should match only one schema, but matches both schemas 1 and 2"],
    [{ whitelist: ["a b"] }, "whitelist.0"],
    [{ blacklist: [] }, "blacklist"],
    [{ blacklist: ["a"], message: "" }, "message"],
  ],
});

describe("referer-restriction", () => {
  const whitelist = ["*.xx.com", "yy.com"];

  it.each([
    [{ whitelist }, "http://www.xx.com:8080/path?q", 200],
    [{ whitelist }, "https://yy.com", 200],
    [{ whitelist }, "http://xx.com", 403],
    [{ whitelist }, "http://www.yy.com", 403],
    [{ whitelist }, "www.xx.com", 403],
    [{ whitelist }, undefined, 403],
    [{ whitelist, bypass_missing: true }, undefined, 200],
    [{ whitelist, bypass_missing: true }, "no address", 200],
    [{ blacklist: ["*.xx.com"] }, "http://a.xx.com/", 403],
    [{ blacklist: ["*.xx.com"] }, "http://a.yy.com/", 200],
  ])("under %j answers %j with %i", async (config, referer, status) => {
    await using gateway = await gatewayWith(refererRestriction, config);
    expect((await gateway.get("/", referer === undefined ? {} : { referer })).status).toBe(status);
  });

  it("tells a refused client the message", async () => {
    await using gateway = await gatewayWith(refererRestriction, { whitelist });
    expect((await gateway.get("/")).body).toBe('{"message":"Your referer host is not allowed"}\n');
  });
});

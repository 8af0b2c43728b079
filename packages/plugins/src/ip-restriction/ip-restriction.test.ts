import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { ipRestriction } from "./index.ts";
import { ipRestrictionSchema } from "./schema.ts";

describePlugin(ipRestriction, { folder: import.meta.dirname, config: { whitelist: ["127.0.0.1"] } });

describeSchema(ipRestrictionSchema, {
  defaults: [
    { whitelist: ["::1"] },
    { whitelist: ["::1"], message: "Your IP address is not allowed", response_code: 403 },
  ],
  accepts: [
    { blacklist: ["10.0.0.0/8", "fe80::/10", "192.0.2.7"], message: "no", response_code: 404, other: 1 },
    { whitelist: ["0.0.0.0/0"] },
  ],
  refuses: [
    [{}, "value should match only one schema, but matches none"],
    [
      { whitelist: ["::1"], blacklist: ["::1"] },
      "value should match only one schema, but matches both schemas 1 and 2",
    ],
    [{ whitelist: [] }, "whitelist"],
    [{ whitelist: ["localhost"] }, "whitelist.0"],
    [{ whitelist: ["::1", "10.0.0.1/99"] }, "whitelist.1"],
    [{ whitelist: ["10.255.256.0/24"] }, "whitelist.0"],
    [{ blacklist: ["::1/129"] }, "invalid ip address: ::1/129"],
    [{ whitelist: ["::1"], message: "" }, "message"],
    [{ whitelist: ["::1"], response_code: 402 }, "response_code"],
  ],
});

describe("ip-restriction", () => {
  it.each([
    [{ whitelist: ["127.0.0.0/8"] }, 200],
    [{ whitelist: ["10.0.0.0/8", "::1"] }, 403],
    [{ blacklist: ["127.0.0.1"] }, 403],
    [{ blacklist: ["127.0.0.2"] }, 200],
    [{ blacklist: ["::ffff:127.0.0.1"], response_code: 404 }, 404],
  ])("under %j answers 127.0.0.1 with %i", async (config, status) => {
    await using gateway = await gatewayWith(ipRestriction, config);
    expect((await gateway.get("/")).status).toBe(status);
  });

  it("tells a refused client the message", async () => {
    await using gateway = await gatewayWith(ipRestriction, {
      blacklist: ["127.0.0.1"],
      message: "Do you want to do something bad?",
    });
    expect(await gateway.get("/")).toMatchObject({
      status: 403,
      body: '{"message":"Do you want to do something bad?"}\n',
    });
    expect(gateway.upstream.requests).toEqual([]);
  });
});

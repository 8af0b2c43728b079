import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { uriBlocker } from "./index.ts";
import { uriBlockerSchema } from "./schema.ts";

describePlugin(uriBlocker, { folder: import.meta.dirname, config: { block_rules: ["aa"] } });

describeSchema(uriBlockerSchema, {
  defaults: [{ block_rules: [] }, { block_rules: [], rejected_code: 403, case_insensitive: false }],
  accepts: [{ block_rules: ["^/a", "b$"], rejected_code: 501, rejected_msg: "no", case_insensitive: true }],
  refuses: [
    [{}, "block_rules"],
    [{ block_rules: ["a", "b", "a"] }, "block_rules"],
    [{ block_rules: [""] }, "block_rules.0"],
    [{ block_rules: ["^b("] }, 'invalid regular expression "^b(": error parsing regexp: missing closing ): `^b(`'],
    [{ block_rules: [], rejected_code: 100 }, "rejected_code"],
    [{ block_rules: [], rejected_msg: "" }, "rejected_msg"],
  ],
});

describe("uri-blocker", () => {
  it.each([
    [{ block_rules: ["aa"] }, "/hello?aa=1", 403],
    [{ block_rules: ["aa"] }, "/hello?bb=1", 200],
    [{ block_rules: ["AA"], case_insensitive: true }, "/xaax", 403],
    [{ block_rules: ["AA"] }, "/xaax", 200],
    [{ block_rules: ["^/select .*;$"], rejected_code: 400 }, "/select%20name;", 400],
    [{ block_rules: ["^/a\\.php"] }, "/x/../a.php", 403],
    [{ block_rules: [] }, "/anything", 200],
  ])("under %j answers %s with %i", async (config, target, status) => {
    await using gateway = await gatewayWith(uriBlocker, config);
    expect((await gateway.get(target)).status).toBe(status);
  });

  it("answers with the message when it has one, else with the gateway's own body", async () => {
    await using telling = await gatewayWith(uriBlocker, { block_rules: ["x"], rejected_msg: "access is not allowed" });
    expect((await telling.get("/x")).body).toBe('{"error_msg":"access is not allowed"}\n');
    await using silent = await gatewayWith(uriBlocker, { block_rules: ["x"] });
    expect((await silent.get("/x")).body).toBe('{"error_msg":"403 Forbidden"}\n');
  });
});

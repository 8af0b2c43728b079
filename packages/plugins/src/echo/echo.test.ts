import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { echo } from "./index.ts";
import { echoSchema } from "./schema.ts";

describePlugin(echo, { folder: import.meta.dirname, config: { body: "x" } });

describeSchema(echoSchema, {
  defaults: [{ body: "x" }, { body: "x" }],
  accepts: [{ before_body: "a", after_body: "b", headers: { a: 1, b: "c", d: [] } }],
  refuses: [
    [{}, "object matches none of the required"],
    [{ headers: { a: "b" } }, "object matches none of the required"],
    [{ after_body: 10 }, "after_body"],
    [{ body: "x", headers: {} }, "headers"],
  ],
});

describe("echo", () => {
  const upstream = { headers: { "content-length": "5", etag: '"1"', "last-modified": "x" }, body: "hello" };

  it.each([
    [{ before_body: "before ", after_body: " after" }, "before hello after"],
    [{ body: "other" }, "other"],
    [{ before_body: "b", body: "o", after_body: "a" }, "boa"],
    [{ body: "" }, ""],
  ])("with %j answers %j", async (config, body) => {
    await using gateway = await gatewayWith(echo, config, { upstream });
    const answer = await gateway.get("/");
    expect(answer.body).toBe(body);
    expect(answer.headers).not.toHaveProperty("etag");
    expect(answer.headers).not.toHaveProperty("last-modified");
  });

  it("frames a body that streams, once", async () => {
    await using gateway = await gatewayWith(
      echo,
      { before_body: "<", after_body: ">" },
      {
        upstream: { chunks: ["a", "b", "c"] },
      },
    );
    expect((await gateway.get("/")).body).toBe("<abc>");
  });

  it("sets the fields whose values are text or numbers", async () => {
    const headers = { Location: "https://example.com", "X-Count": 100, "X-Odd": {} };
    await using gateway = await gatewayWith(echo, { before_body: "", headers }, { upstream });
    const answer = await gateway.get("/");
    expect(answer.headers).toMatchObject({ location: "https://example.com", "x-count": "100" });
    expect(answer.headers).not.toHaveProperty("x-odd");
  });
});

import { describePlugin, fakeDeps, fakeRequestContext } from "@fngate/plugin-kit/testing";
import { FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { mocking } from "./index.ts";
import { mockingSchema } from "./schema.ts";

describePlugin(mocking, { folder: import.meta.dirname, config: { response_example: "{}" } });

const DEFAULTS = {
  delay: 0,
  response_status: 200,
  content_type: "application/json;charset=utf8",
  with_mock_header: true,
};

describeSchema(mockingSchema, {
  defaults: [{ response_example: "x" }, { response_example: "x", ...DEFAULTS }],
  accepts: [
    { response_schema: { properties: {} }, content_type: "text/xml", response_headers: { a: 1 } },
    { response_example: "x", delay: -1, response_status: 999, content_type: "text/html;charset=utf-8" },
  ],
  refuses: [
    [{}, "object matches none of the required"],
    [{ response_example: 1 }, "response_example"],
    [{ response_example: "x", response_status: 99 }, "response_status"],
    [{ response_example: "x", content_type: "image/png" }, "unsupported content type!"],
    [{ response_example: "x", response_headers: {} }, "response_headers"],
  ],
});

describe("mocking", () => {
  it("answers with the example, variables filled in, and says that it is a mock", async () => {
    await using gateway = await gatewayWith(mocking, {
      response_example: "hello $arg_name",
      response_status: 201,
      content_type: "text/plain",
      response_headers: { "X-Path": "$uri", "X-Count": 2 },
    });
    const answer = await gateway.get("/a?name=jack");
    expect(answer).toMatchObject({ status: 201, body: "hello jack" });
    expect(answer.headers).toMatchObject({ "x-mock-by": "APISIX/3.18.0", "x-path": "/a", "x-count": "2" });
    expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
    expect(gateway.upstream.requests).toEqual([]);
  });

  it("keeps quiet about being a mock when told to", async () => {
    await using gateway = await gatewayWith(mocking, { response_example: "x", with_mock_header: false });
    expect((await gateway.get("/")).headers).not.toHaveProperty("x-mock-by");
  });

  const response_schema = {
    type: "object",
    properties: {
      word: { type: "string" },
      fixed: { type: "string", example: "a<b" },
      whole: { type: "integer", example: 7.9 },
      number: { type: "Number", example: 1.5 },
      flag: { type: "boolean", example: true },
      list: { type: "array", items: { type: "integer", example: 3 } },
      inner: { type: "object", properties: { deep: { type: "boolean" } } },
      odd: { type: "null" },
    },
  };

  it("makes data up as the schema says, examples first", async () => {
    await using gateway = await gatewayWith(mocking, { response_schema });
    expect(JSON.parse((await gateway.get("/")).body)).toEqual({
      word: expect.stringMatching(/^[a-z]{1,10}$/),
      fixed: "a<b",
      whole: 7,
      number: 1.5,
      flag: true,
      list: expect.arrayContaining([3]),
      inner: { deep: expect.any(Boolean) },
    });
  });

  it("writes XML when that is the type, and nothing as HTML", async () => {
    const { fixed, flag } = response_schema.properties;
    const schema = { properties: { fixed, list: { type: "array", items: { type: "object", properties: { flag } } } } };
    await using xml = await gatewayWith(mocking, { response_schema: schema, content_type: "application/xml" });
    expect((await xml.get("/")).body).toMatch(
      /^<data><fixed>a&lt;b<\/fixed>(<list><flag>true<\/flag><\/list>){1,3}<\/data>$/,
    );
    await using html = await gatewayWith(mocking, { response_schema: schema, content_type: "text/html" });
    expect((await html.get("/")).body).toBe("");
  });

  it("waits first when told to", async () => {
    const clock = new FakeClock();
    const config = mockingSchema.parse({ response_example: "late", delay: 3 });
    const reply = Promise.resolve(mocking.setup(config, fakeDeps({ clock })).access?.(fakeRequestContext()));
    await clock.advance(3_000);
    expect(await reply).toMatchObject({ status: 200, body: "late" });
  });
});

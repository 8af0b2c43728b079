import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { requestValidation } from "./index.ts";
import { compileJsonSchema } from "./json-schema.ts";
import { requestValidationSchema } from "./schema.ts";

describePlugin(requestValidation, { folder: import.meta.dirname, config: { body_schema: {} } });

const LIMITS = { max_req_body_size: 67_108_864, rejected_code: 400 };

describeSchema(requestValidationSchema, {
  defaults: [{ body_schema: {} }, { body_schema: {}, ...LIMITS }],
  accepts: [
    { header_schema: { type: "object" }, body_schema: { type: "array" }, rejected_code: 599, rejected_msg: "no" },
    { body_schema: { $schema: "http://json-schema.org/draft-04/schema#", type: "object" } },
  ],
  refuses: [
    [{}, "object matches none of the required"],
    [{ body_schema: [] }, "body_schema"],
    [{ body_schema: { type: "object", required: "a" } }, "schema is invalid: data/required must be array"],
    [{ header_schema: {}, rejected_code: 199 }, "rejected_code"],
    [{ header_schema: {}, rejected_msg: "" }, "rejected_msg"],
    [{ header_schema: {}, max_req_body_size: 0 }, "max_req_body_size"],
  ],
});

describe("findings", () => {
  it.each([
    [{ required: ["a"] }, {}, 'property "a" is required'],
    [
      { properties: { a: { type: "string" } } },
      { a: 1 },
      'property "a" validation failed: wrong type: expected string, got number',
    ],
    [
      { properties: { a: { items: { enum: ["x"] } } } },
      { a: ["x", "y"] },
      'property "a" validation failed: failed to validate item 2: matches none of the enum values',
    ],
    [{ additionalProperties: false }, { z: 1 }, "additional properties forbidden, found z"],
    [{ type: "array", minItems: 2 }, [1], "expect array to have at least 2 items"],
    [{ type: "integer", minimum: 5 }, 4, "expected 4 to be at least 5"],
    [{ type: "string", pattern: "^a+$" }, "b", 'failed to match pattern "^a+$" with "b"'],
    [{ type: "string", minLength: 3 }, "ab", "string too short, expected at least 3, got 2"],
    [{ type: "string", format: "ipv4" }, "::1", "expect valid ipv4 format but got: ::1"],
    [{ type: "object" }, [], "wrong type: expected object, got table"],
  ])("of %j about %j read %s", (schema, value, text) => {
    expect(compileJsonSchema(schema)(value)).toBe(text);
  });

  it("come in time linear in the text, whatever the pattern", () => {
    expect(compileJsonSchema({ type: "string", pattern: "^(a+)+$" })(`${"a".repeat(10_000)}!`)).toContain("pattern");
  });
});

describe("request-validation", () => {
  const body_schema = {
    type: "object",
    required: ["name"],
    properties: { name: { type: "string" }, size: { type: "number", default: 7 } },
  };
  const post = (body: string, type = "application/json") => ({
    method: "POST",
    body,
    headers: { "content-type": type },
  });

  it("forwards the body that was checked, defaults filled in", async () => {
    await using gateway = await gatewayWith(requestValidation, { body_schema });
    const sent = '{ "name" : "first", "name": "second" }';
    expect((await gateway.send("/", post(sent))).status).toBe(200);
    const [seen] = gateway.upstream.requests;
    expect(seen?.body.toString()).toBe('{"name":"second","size":7}');
    expect(seen?.headers["content-length"]).toBe("26");
  });

  it.each([
    ["{}", 'property "name" is required'],
    ['{"name":1}', 'property "name" validation failed: wrong type: expected string, got number'],
  ])("refuses %s and says why", async (body, text) => {
    await using gateway = await gatewayWith(requestValidation, { body_schema });
    expect(await gateway.send("/", post(body))).toMatchObject({ status: 400, body: text });
    expect(gateway.upstream.requests).toEqual([]);
  });

  it("refuses what is no JSON, no body and too much of it", async () => {
    await using gateway = await gatewayWith(requestValidation, {
      body_schema,
      rejected_code: 422,
      max_req_body_size: 20,
    });
    const statuses = [];
    for (const body of ["{", "", '{"name":"much too long for it"}']) {
      statuses.push((await gateway.send("/", post(body))).status);
    }
    expect(statuses).toEqual([422, 422, 422]);
  });

  it("answers with its own message when it has one", async () => {
    await using gateway = await gatewayWith(requestValidation, { body_schema, rejected_msg: "no such thing" });
    expect(await gateway.send("/", post("{}"))).toMatchObject({ status: 400, body: "no such thing" });
  });

  it("reads forms and forwards them as they came", async () => {
    await using gateway = await gatewayWith(requestValidation, { body_schema });
    const form = "name=a%20b&x=1&x=2";
    expect((await gateway.send("/", post(form, "application/x-www-form-urlencoded; charset=utf-8"))).status).toBe(200);
    expect(gateway.upstream.requests[0]?.body.toString()).toBe(form);
    expect((await gateway.send("/", post("other=1", "application/x-www-form-urlencoded"))).status).toBe(400);
  });

  it("checks header fields by their lower-case names, repeated ones as lists", async () => {
    const header_schema = {
      type: "object",
      required: ["x-a"],
      properties: { "x-a": { type: "string", pattern: "^v" } },
    };
    await using gateway = await gatewayWith(requestValidation, { header_schema });
    expect((await gateway.get("/", { "X-A": "v1" })).status).toBe(200);
    expect((await gateway.get("/", { "X-A": "w1" })).status).toBe(400);
    expect((await gateway.get("/")).body).toBe('property "x-a" is required');
  });
});

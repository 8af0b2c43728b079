import { describe, expect, it } from "vitest";
import { z } from "zod";
import { schemaToJson, toJsonSchema } from "./json-schema.ts";
import { registry } from "./resources/index.ts";

describe("toJsonSchema", () => {
  it.each(registry.all().map((definition) => [definition.kind, definition] as const))(
    "exports %s",
    (_kind, definition) => {
      const json = toJsonSchema(definition);
      expect(json).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#", type: "object" });
      expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    },
  );

  it("says of routes what parsing enforces", () => {
    expect(toJsonSchema(registry.byKind("route"))).toMatchObject({
      additionalProperties: false,
      properties: {
        uri: { type: "string", minLength: 1, maxLength: 4096 },
        priority: { type: "integer", default: 0 },
        status: { type: "integer", enum: [1, 0], default: 1 },
        uris: { type: "array", minItems: 1, uniqueItems: true, items: { type: "string" } },
        methods: { type: "array", items: { type: "string", enum: expect.arrayContaining(["GET", "PURGE"]) } },
        id: {
          anyOf: [
            { type: "string", minLength: 1, maxLength: 64, pattern: "^[a-zA-Z0-9-_.]+$" },
            { type: "integer", minimum: 1 },
          ],
        },
        labels: { type: "object", patternProperties: { ".*": { type: "string", pattern: "^\\S+$" } } },
        timeout: { required: ["connect", "send", "read"], properties: { connect: { exclusiveMinimum: 0 } } },
        plugins: { type: "object" },
        upstream: { oneOf: [{ required: ["nodes"] }, { required: ["service_name", "discovery_type"] }] },
      },
      allOf: [{ oneOf: [{ required: ["uri"] }, { required: ["uris"] }] }, {}, {}],
      anyOf: expect.arrayContaining([{ required: ["plugins", "uri"] }, { required: ["script", "uris"] }]),
      not: { anyOf: [{ required: ["script", "plugins"] }, { required: ["script", "plugin_config_id"] }] },
    });
  });

  it("demands no property that has a default", () => {
    expect(toJsonSchema(registry.byKind("route")).required).toBeUndefined();
    expect(toJsonSchema(registry.byKind("consumer")).required).toEqual(["username"]);
  });

  it("keeps the dependencies of client certificates", () => {
    expect(toJsonSchema(registry.byKind("upstream"))).toMatchObject({
      properties: {
        tls: {
          dependencies: {
            client_cert: { required: ["client_key"] },
            client_key: { required: ["client_cert"] },
            client_cert_id: { not: { required: ["client_cert", "client_key"] } },
          },
        },
      },
    });
  });

  it("exports plugin schemas that are plain zod", () => {
    const schema = z.looseObject({ timeout: z.int().min(100).default(3000).describe("milliseconds") });
    expect(schemaToJson(schema)).toMatchObject({
      type: "object",
      properties: { timeout: { type: "integer", minimum: 100, default: 3000, description: "milliseconds" } },
    });
  });
});

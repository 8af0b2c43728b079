import { messageOf } from "@fngate/kernel";
import { z } from "zod";
import { requireAnyOf } from "../shared/required-fields.ts";
import { compileJsonSchema } from "./json-schema.ts";

const jsonSchema = () => z.record(z.string(), z.unknown());

/** Configuration of the plugin; at least one of the schemas has to be there (APISIX: request-validation). */
export const requestValidationSchema = requireAnyOf(
  z.looseObject({
    header_schema: jsonSchema()
      .optional()
      .describe("JSON Schema of the header fields: an object with lower-case names; a repeated field is a list."),
    body_schema: jsonSchema()
      .optional()
      .describe("JSON Schema of the body: JSON, or form fields where `Content-Type` says so."),
    max_req_body_size: z
      .int()
      .min(1)
      .default(67_108_864)
      .describe("Largest body in bytes that is read; a larger one is refused."),
    rejected_code: z.int().min(200).max(599).default(400).describe("Status of the answer to a refused request."),
    rejected_msg: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("Body of that answer; absent: what is wrong with the request."),
  }),
  ["header_schema", "body_schema"],
).superRefine(({ body_schema, header_schema }, context) => {
  for (const schema of [body_schema, header_schema]) {
    const message = schema === undefined ? undefined : problemOf(schema);
    if (message === undefined) continue;
    context.addIssue({ code: "custom", message });
    return;
  }
});

/** {@link requestValidationSchema} with defaults filled in. */
export type RequestValidationConfig = z.output<typeof requestValidationSchema>;

function problemOf(schema: Readonly<Record<string, unknown>>): string | undefined {
  try {
    compileJsonSchema(schema);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

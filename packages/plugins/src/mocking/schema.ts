import { z } from "zod";
import { headerMapField } from "../shared/answer-fields.ts";
import { requireAnyOf } from "../shared/required-fields.ts";
import { mediaTypeOf } from "./media-type.ts";

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  "application/xml",
  "application/json",
  "text/plain",
  "text/html",
  "text/xml",
]);

/** Configuration of the plugin; an example wins over a schema (APISIX: mocking). */
export const mockingSchema = requireAnyOf(
  z.looseObject({
    delay: z.int().default(0).describe("Seconds to wait before the answer."),
    response_status: z.int().min(100).default(200).describe("Status of the answer."),
    content_type: z
      .string()
      .default("application/json;charset=utf8")
      .describe(
        "`Content-Type` of the answer: `application/json`, `application/xml`, `text/plain`, `text/html` or `text/xml`, with parameters or without.",
      ),
    response_example: z.string().optional().describe("Body of the answer, with `$variables`."),
    response_schema: z
      .looseObject({})
      .optional()
      .describe("JSON Schema of the body; each property is its `example`, or else a random value of its type."),
    with_mock_header: z.boolean().default(true).describe("Whether `x-mock-by` says that the answer is a mock."),
    response_headers: headerMapField().optional().describe("Fields added to the answer, with `$variables` in texts."),
  }),
  ["response_example", "response_schema"],
).superRefine(({ content_type }, context) => {
  if (!MEDIA_TYPES.has(mediaTypeOf(content_type))) {
    context.addIssue({ code: "custom", message: "unsupported content type!" });
  }
});

/** {@link mockingSchema} with defaults filled in. */
export type MockingConfig = z.output<typeof mockingSchema>;

import { z } from "zod";
import { requireAnyOf } from "../shared/required-fields.ts";

const transformation = z.looseObject({
  input_format: z
    .enum(["xml", "json", "encoded", "args", "plain", "multipart"])
    .optional()
    .describe("How the body is read before the template gets it; absent: as its `Content-Type` says."),
  template: z.string().describe("Template with Lua in it, which is not run."),
  template_is_base64: z.boolean().optional().describe("Whether `template` is base64."),
});

/** Configuration of the plugin (APISIX: body-transformer). */
export const bodyTransformerSchema = requireAnyOf(
  z.looseObject({
    request: transformation.optional().describe("What becomes of the request's body."),
    response: transformation.optional().describe("What becomes of the answer's body."),
    max_req_body_size: z.int().min(1).default(67_108_864).describe("Largest request body in bytes."),
    max_resp_body_size: z.int().min(1).default(67_108_864).describe("Largest body of an answer in bytes."),
  }),
  ["request", "response"],
);

/** {@link bodyTransformerSchema} with defaults filled in. */
export type BodyTransformerConfig = z.output<typeof bodyTransformerSchema>;

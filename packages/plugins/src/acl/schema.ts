import { z } from "zod";
import { requireAnyOf, requireProperties } from "../shared/required-fields.ts";

const labels = () => requireProperties(z.record(z.string(), z.array(z.string()).min(1))).optional();

/** Configuration of the plugin; at least one of the label maps has to be there (APISIX: acl). */
export const aclSchema = requireAnyOf(
  z.looseObject({
    allow_labels: labels().describe("Values by label; a consumer needs one of them."),
    deny_labels: labels().describe("Values by label; a consumer with one of them is refused, allowed or not."),
    rejected_code: z.int().min(200).default(403).describe("Status of the answer to a refused consumer."),
    rejected_msg: z.string().optional().describe("`message` of that answer; absent: `The consumer is forbidden.`"),
    external_user_label_field: z
      .string()
      .min(1)
      .default("groups")
      .describe("Taken for compatibility: users that are no consumers have no labels here."),
    external_user_label_field_key: z.string().min(1).optional().describe("Taken for compatibility, likewise."),
    external_user_label_field_parser: z
      .enum(["segmented_text", "json", "table"])
      .optional()
      .describe("Taken for compatibility, likewise."),
    external_user_label_field_separator: z.string().min(1).optional().describe("Taken for compatibility, likewise."),
  }),
  ["allow_labels", "deny_labels"],
).superRefine((config, context) => {
  const { external_user_label_field_parser: parser, external_user_label_field_separator: separator } = config;
  if (parser !== "segmented_text" || separator !== undefined) return;
  context.addIssue({ code: "custom", message: "allOf 1 failed: then clause did not match" });
});

/** {@link aclSchema} with defaults filled in. */
export type AclConfig = z.output<typeof aclSchema>;

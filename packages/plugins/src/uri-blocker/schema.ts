import { z } from "zod";
import { checkPatterns } from "../shared/patterns.ts";
import { uniqueList } from "../shared/unique-list.ts";

/** Configuration of the plugin (APISIX: uri-blocker). An empty list of rules blocks nothing. */
export const uriBlockerSchema = z
  .looseObject({
    block_rules: uniqueList(z.string().min(1).max(4096)).describe(
      "Regular expressions; a request is refused when one occurs in its path and query.",
    ),
    rejected_code: z.int().min(200).default(403).describe("Status of the answer to a refused request."),
    rejected_msg: z
      .string()
      .min(1)
      .optional()
      .describe("`error_msg` of the answer to a refused request; absent: the gateway's own body."),
    case_insensitive: z.boolean().default(false).describe("Whether the rules pass over upper and lower case."),
  })
  .superRefine(({ block_rules }, context) => checkPatterns(context, block_rules));

/** {@link uriBlockerSchema} with defaults filled in. */
export type UriBlockerConfig = z.output<typeof uriBlockerSchema>;

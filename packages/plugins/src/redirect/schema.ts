import { messageOf } from "@fngate/kernel";
import { z } from "zod";
import { compilePattern } from "../shared/patterns.ts";
import { requireExactlyOne } from "../shared/required-fields.ts";

/** Configuration of the plugin; exactly one of `uri`, `regex_uri` and `http_to_https` (APISIX: redirect). */
export const redirectSchema = requireExactlyOne(
  z.looseObject({
    ret_code: z.int().min(200).default(302).describe("Status of the answer; `http_to_https` has its own."),
    uri: z.string().min(2).optional().describe("Where to, with `$variables`."),
    regex_uri: z
      .array(z.string())
      .length(2)
      .optional()
      .describe("Regular expression and replacement for the path, `$1` standing for a group; no match: no redirect."),
    http_to_https: z
      .boolean()
      .optional()
      .describe("Whether `http` requests are sent to `https`, with 301 for GET and HEAD and 308 for others."),
    encode_uri: z.boolean().default(false).describe("Whether the new address is percent-encoded up to its query."),
    append_query_string: z.boolean().default(false).describe("Whether the request's query is added."),
  }),
  ["uri", "regex_uri", "http_to_https"],
).superRefine(({ append_query_string, http_to_https, regex_uri }, context) => {
  const [pattern, replacement] = regex_uri ?? [];
  const problem = pattern === undefined ? undefined : patternProblem(pattern);
  if (problem !== undefined) {
    context.addIssue({ code: "custom", message: `invalid regex_uri (${pattern}, ${replacement}), err:${problem}` });
  }
  if (http_to_https === true && append_query_string) {
    const message = "only one of `http_to_https` and `append_query_string` can be configured.";
    context.addIssue({ code: "custom", message });
  }
});

/** {@link redirectSchema} with defaults filled in. */
export type RedirectConfig = z.output<typeof redirectSchema>;

function patternProblem(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

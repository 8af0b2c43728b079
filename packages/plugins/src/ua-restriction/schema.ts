import { z } from "zod";
import { checkPatterns } from "../shared/patterns.ts";
import { requireExactlyOne } from "../shared/required-fields.ts";

const patternList = () => z.array(z.string().min(1)).min(1);

/** Configuration of the plugin; exactly one of the lists has to be there (APISIX: ua-restriction). */
export const uaRestrictionSchema = requireExactlyOne(
  z.looseObject({
    bypass_missing: z.boolean().default(false).describe("Whether requests without `User-Agent` are let through."),
    allowlist: patternList().optional().describe("Regular expressions of which one has to occur in `User-Agent`."),
    denylist: patternList().optional().describe("Regular expressions of which none may occur in `User-Agent`."),
    message: z
      .string()
      .min(1)
      .max(1024)
      .default("Not allowed")
      .describe("`message` of the answer to a refused client."),
  }),
  ["allowlist", "denylist"],
).superRefine(({ allowlist, denylist }, context) => checkPatterns(context, allowlist, denylist));

/** {@link uaRestrictionSchema} with defaults filled in. */
export type UaRestrictionConfig = z.output<typeof uaRestrictionSchema>;

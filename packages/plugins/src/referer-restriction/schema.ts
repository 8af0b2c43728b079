import { z } from "zod";
import { requireExactlyOne } from "../shared/required-fields.ts";

/** A host name, or `*` and the end of one (APISIX: `host_def`). */
const HOST = /^\*$|^\*?[0-9a-zA-Z-._[\]:]+$/;

const hostList = () => z.array(z.string().regex(HOST)).min(1);

/** Configuration of the plugin; exactly one of the lists has to be there (APISIX: referer-restriction). */
export const refererRestrictionSchema = requireExactlyOne(
  z.looseObject({
    bypass_missing: z
      .boolean()
      .default(false)
      .describe("Whether requests without a `Referer` that names a host are let through."),
    whitelist: hostList().optional().describe("Hosts that alone are let through; `*` at the start covers any text."),
    blacklist: hostList().optional().describe("Hosts that are refused; `*` at the start covers any text."),
    message: z
      .string()
      .min(1)
      .max(1024)
      .default("Your referer host is not allowed")
      .describe("`message` of the answer to a refused client."),
  }),
  ["whitelist", "blacklist"],
);

/** {@link refererRestrictionSchema} with defaults filled in. */
export type RefererRestrictionConfig = z.output<typeof refererRestrictionSchema>;

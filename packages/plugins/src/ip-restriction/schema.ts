import { z } from "zod";
import { addressListField, checkAddresses } from "../shared/addresses.ts";
import { requireExactlyOne } from "../shared/required-fields.ts";

/** Configuration of the plugin; exactly one of the lists has to be there (APISIX: ip-restriction). */
export const ipRestrictionSchema = requireExactlyOne(
  z.looseObject({
    whitelist: addressListField().optional().describe("Addresses and CIDR ranges that alone are let through."),
    blacklist: addressListField().optional().describe("Addresses and CIDR ranges that are refused."),
    message: z
      .string()
      .min(1)
      .max(1024)
      .default("Your IP address is not allowed")
      .describe("`message` of the answer to a refused client."),
    response_code: z.int().min(403).max(404).default(403).describe("Status of the answer to a refused client."),
  }),
  ["whitelist", "blacklist"],
).superRefine(({ blacklist, whitelist }, context) => checkAddresses(context, whitelist, blacklist));

/** {@link ipRestrictionSchema} with defaults filled in. */
export type IpRestrictionConfig = z.output<typeof ipRestrictionSchema>;

import { z } from "zod";
import { addressListField, checkAddresses } from "../shared/addresses.ts";

/** Configuration of the plugin (APISIX: real-ip). */
export const realIpSchema = z
  .looseObject({
    source: z
      .string()
      .min(1)
      .describe("Variable that holds the client's address, `address[:port]`, e.g. `http_x_forwarded_for` or `arg_ip`."),
    trusted_addresses: addressListField()
      .optional()
      .describe("Peers whose word counts: addresses and CIDR ranges; absent: all of them."),
    recursive: z
      .boolean()
      .default(false)
      .describe("With `http_x_forwarded_for`: the last address that is not trusted, not the last one."),
  })
  .superRefine(({ trusted_addresses }, context) => checkAddresses(context, trusted_addresses));

/** {@link realIpSchema} with defaults filled in. */
export type RealIpConfig = z.output<typeof realIpSchema>;

import { z } from "zod";
import { requireProperties } from "../shared/required-fields.ts";

/** Configuration of the plugin (APISIX: attach-consumer-label). */
export const attachConsumerLabelSchema = z.looseObject({
  headers: requireProperties(z.record(z.string(), z.string().regex(/^\$.*/))).describe(
    "Fields that the request gets, each with the label whose value it has, as `$label`.",
  ),
});

/** {@link attachConsumerLabelSchema} as parsed. */
export type AttachConsumerLabelConfig = z.output<typeof attachConsumerLabelSchema>;

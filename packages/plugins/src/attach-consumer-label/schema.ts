import { z } from "zod";

/** Configuration of the plugin (APISIX: attach-consumer-label). */
export const attachConsumerLabelSchema = z.looseObject({
  headers: z
    .record(z.string(), z.string().regex(/^\$.*/))
    .refine((headers) => Object.keys(headers).length > 0, "expect object to have at least 1 properties")
    .describe("Fields that the request gets, each with the label whose value it has, as `$label`."),
});

/** {@link attachConsumerLabelSchema} as parsed. */
export type AttachConsumerLabelConfig = z.output<typeof attachConsumerLabelSchema>;

import { z } from "zod";

/** Configuration of the plugin in a consumer or credential. */
export const keyAuthConsumerSchema = z.looseObject({
  key: z.string().describe("The key that tells who calls."),
});

/** {@link keyAuthConsumerSchema} as parsed. */
export type KeyAuthConsumer = z.output<typeof keyAuthConsumerSchema>;

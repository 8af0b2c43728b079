import { z } from "zod";

/** Configuration of the plugin in a consumer or credential. */
export const basicAuthConsumerSchema = z.looseObject({
  username: z.string().describe("Name that the caller gives; it need not be the consumer's."),
  password: z.string().describe("Password that goes with it."),
});

/** {@link basicAuthConsumerSchema} as parsed. */
export type BasicAuthConsumer = z.output<typeof basicAuthConsumerSchema>;

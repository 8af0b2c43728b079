import { z } from "zod";

/** Configuration of the plugin in a consumer or credential. */
export const hmacAuthConsumerSchema = z.looseObject({
  key_id: z.string().min(1).max(256).describe("Name that the caller gives for the key."),
  secret_key: z.string().min(1).max(256).describe("Key that requests are signed with."),
});

/** {@link hmacAuthConsumerSchema} as parsed. */
export type HmacAuthConsumer = z.output<typeof hmacAuthConsumerSchema>;

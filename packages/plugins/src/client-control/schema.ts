import { z } from "zod";

/** Configuration of the plugin (APISIX: client-control). */
export const clientControlSchema = z.looseObject({
  max_body_size: z
    .int()
    .min(0)
    .optional()
    .describe("Largest request body in bytes; a larger one is answered with status 413. 0: no limit."),
});

/** {@link clientControlSchema} as parsed. */
export type ClientControlConfig = z.output<typeof clientControlSchema>;

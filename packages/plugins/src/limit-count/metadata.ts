import { z } from "zod";

/** Metadata of the plugin: names of the quota's headers. */
export const limitCountMetadataSchema = z.looseObject({
  limit_header: z.string().default("X-RateLimit-Limit"),
  remaining_header: z.string().default("X-RateLimit-Remaining"),
  reset_header: z.string().default("X-RateLimit-Reset"),
});

/** {@link limitCountMetadataSchema} with defaults filled in. */
export type LimitCountMetadata = z.output<typeof limitCountMetadataSchema>;

import { z } from "zod";

/** Metadata of the plugin: its limits. */
export const batchRequestsMetadataSchema = z.looseObject({
  max_body_size: z.int().gt(0).default(1_048_576),
  max_pipeline_items: z.int().gt(0).default(1_000),
});

/** {@link batchRequestsMetadataSchema} with defaults filled in. */
export type BatchRequestsMetadata = z.output<typeof batchRequestsMetadataSchema>;

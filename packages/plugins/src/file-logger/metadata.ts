import { z } from "zod";
import { logMetadataFields } from "../shared/log/log-fields.ts";

/** Metadata of the plugin. */
export const fileLoggerMetadataSchema = z.looseObject({ path: z.string().optional(), ...logMetadataFields });

/** {@link fileLoggerMetadataSchema} as parsed. */
export type FileLoggerMetadata = z.output<typeof fileLoggerMetadataSchema>;

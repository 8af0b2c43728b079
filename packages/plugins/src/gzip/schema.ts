import { z } from "zod";
import { compressionFields } from "../shared/compression.ts";

/** Configuration of the plugin (APISIX: gzip). */
export const gzipSchema = z.looseObject({
  ...compressionFields,
  comp_level: z.int().min(1).max(9).default(1).describe("1: fastest, 9: smallest."),
  buffers: z
    .looseObject({ number: z.int().min(1).default(32), size: z.int().min(1).default(4096) })
    .default({ number: 32, size: 4096 })
    .describe("Taken and not needed: nothing but short answers is held back."),
});

import { z } from "zod";
import { compressionFields } from "../shared/compression.ts";

/** 0, or between the bounds. */
const sizeExponent = (min: number) => z.union([z.literal(0), z.int().min(min).max(24)]);

/** Configuration of the plugin (APISIX: brotli). */
export const brotliSchema = z.looseObject({
  ...compressionFields,
  mode: z.int().min(0).max(2).default(0).describe("What is compressed: 0 anything, 1 text, 2 fonts (WOFF 2.0)."),
  comp_level: z.int().min(0).max(11).default(6).describe("0: fastest, 11: smallest."),
  lgwin: sizeExponent(10).default(19).describe("Window size as a power of two; 0: chosen by the compressor."),
  lgblock: sizeExponent(16).default(0).describe("Block size as a power of two; 0: chosen by the compressor."),
});

/** {@link brotliSchema} with defaults filled in. */
export type BrotliConfig = z.output<typeof brotliSchema>;

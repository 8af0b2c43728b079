import { type BrotliOptions, brotliCompressSync, constants, createBrotliCompress } from "node:zlib";
import { definePlugin } from "@fngate/plugin-kit";
import { compressWhole, isShort } from "../shared/compress-whole.ts";
import { compileCompression, markCompressed } from "../shared/compression.ts";
import { type BrotliConfig, brotliSchema } from "./schema.ts";

/** Levels beyond take many times as long, which is too long for one call. */
const HIGHEST_QUICK_LEVEL = 9;

/** Compresses answers with Brotli (APISIX: brotli). */
export const brotli = definePlugin({
  name: "brotli",
  version: 0.1,
  priority: 996,
  schema: brotliSchema,
  setup(config) {
    const isCompressed = compileCompression(config, "br");
    const options = optionsOf(config);
    return {
      encodeBody(context) {
        if (!isCompressed(context)) return undefined;
        const { headers } = context.response;
        const isWhole = config.comp_level <= HIGHEST_QUICK_LEVEL && isShort(headers);
        markCompressed(headers, "br", config);
        return isWhole ? compressWhole((body) => brotliCompressSync(body, options)) : createBrotliCompress(options);
      },
    };
  },
});

function optionsOf({ comp_level: quality, lgblock, lgwin, mode }: BrotliConfig): BrotliOptions {
  const params: Record<number, number> = {
    [constants.BROTLI_PARAM_MODE]: mode,
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGBLOCK]: lgblock,
  };
  if (lgwin !== 0) params[constants.BROTLI_PARAM_LGWIN] = lgwin;
  // What was written goes out at once: an answer that streams goes on streaming.
  return { params, flush: constants.BROTLI_OPERATION_FLUSH };
}

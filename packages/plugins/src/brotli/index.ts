import { type BrotliOptions, constants, createBrotliCompress } from "node:zlib";
import { definePlugin } from "@fngate/plugin-kit";
import { compileCompression, markCompressed } from "../shared/compression.ts";
import { type BrotliConfig, brotliSchema } from "./schema.ts";

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
        markCompressed(context.response.headers, "br", config);
        return createBrotliCompress(options);
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

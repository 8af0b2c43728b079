import { constants, createGzip, gzipSync } from "node:zlib";
import { definePlugin } from "@fngate/plugin-kit";
import { compressWhole, isShort } from "../shared/compress-whole.ts";
import { compileCompression, markCompressed } from "../shared/compression.ts";
import { gzipSchema } from "./schema.ts";

/** Compresses answers with gzip (APISIX: gzip). */
export const gzip = definePlugin({
  name: "gzip",
  version: 0.1,
  priority: 995,
  schema: gzipSchema,
  setup(config) {
    const isCompressed = compileCompression(config, "gzip");
    // What was written goes out at once: an answer that streams goes on streaming.
    const options = { level: config.comp_level, flush: constants.Z_SYNC_FLUSH };
    return {
      encodeBody(context) {
        if (!isCompressed(context)) return undefined;
        const { headers } = context.response;
        const isWhole = isShort(headers);
        markCompressed(headers, "gzip", config);
        return isWhole ? compressWhole((body) => gzipSync(body, options)) : createGzip(options);
      },
    };
  },
});

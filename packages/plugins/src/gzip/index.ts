import { constants, createGzip } from "node:zlib";
import { definePlugin } from "@fngate/plugin-kit";
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
        markCompressed(context.response.headers, "gzip", config);
        return createGzip(options);
      },
    };
  },
});

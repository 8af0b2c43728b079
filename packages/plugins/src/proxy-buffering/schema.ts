import { z } from "zod";

/** Configuration of the plugin (APISIX: proxy-buffering). */
export const proxyBufferingSchema = z.looseObject({
  disable_proxy_buffering: z
    .boolean()
    .default(false)
    .describe("Whether answers are to be passed on as they come, which they are in any case."),
});

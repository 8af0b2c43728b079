import { z } from "zod";

/** Configuration of the plugin (APISIX: proxy-control). */
export const proxyControlSchema = z.looseObject({
  request_buffering: z
    .boolean()
    .default(true)
    .describe(
      "Whether a short body is read whole before the upstream is called, so that it can be sent again after a failure.",
    ),
});

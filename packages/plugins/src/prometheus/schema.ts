import { z } from "zod";

/** Configuration of the plugin (APISIX: prometheus). */
export const prometheusSchema = z.looseObject({
  prefer_name: z
    .boolean()
    .default(false)
    .describe("Labels `route` and `service` hold names in place of ids, where there are names."),
});

/** {@link prometheusSchema} with defaults filled in. */
export type PrometheusConfig = z.output<typeof prometheusSchema>;

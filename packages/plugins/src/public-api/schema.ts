import { z } from "zod";

/** Configuration of the plugin (APISIX: public-api). */
export const publicApiSchema = z.looseObject({
  uri: z.string().optional().describe("Path of the endpoint; absent: that of the request."),
});

/** {@link publicApiSchema} as parsed. */
export type PublicApiConfig = z.output<typeof publicApiSchema>;

import { z } from "zod";

const IPV4 = /^[0-9]{1,3}.[0-9]{1,3}.[0-9]{1,3}.[0-9]{1,3}$/;

/** Configuration of the plugin (APISIX: zipkin). */
export const zipkinSchema = z.looseObject({
  endpoint: z.string().describe("Where spans are sent, e.g. `http://127.0.0.1:9411/api/v2/spans`."),
  sample_ratio: z.number().min(0.00001).max(1).describe("Share of the requests that are recorded."),
  service_name: z.string().default("APISIX").describe("Name of the gateway in its spans."),
  server_addr: z.string().regex(IPV4).optional().describe("IPv4 address of the gateway; absent: the one called."),
  span_version: z
    .union([z.literal(1), z.literal(2)])
    .default(2)
    .describe("1: spans of the phases of a request; 2: of the call and of the answer."),
});

/** {@link zipkinSchema} with defaults filled in. */
export type ZipkinConfig = z.output<typeof zipkinSchema>;

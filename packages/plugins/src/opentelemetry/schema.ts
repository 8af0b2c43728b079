import { z } from "zod";

const fraction = z.number().default(0).describe("Share of the traces that are recorded, by trace id.");

/** The sampler that decides about traces which begin here. */
const rootSchema = z.looseObject({
  name: z.enum(["always_on", "always_off", "trace_id_ratio"]).default("always_off"),
  options: z.looseObject({ fraction }).prefault({}),
});

const samplerSchema = z.looseObject({
  name: z.enum(["always_on", "always_off", "trace_id_ratio", "parent_base"]).default("always_off"),
  options: z.looseObject({ fraction, root: rootSchema.prefault({}) }).prefault({}),
});

const names = z.array(z.string().min(1)).optional();

/** Configuration of the plugin (APISIX: opentelemetry). */
export const opentelemetrySchema = z.looseObject({
  sampler: samplerSchema
    .prefault({})
    .describe(
      "Which requests are recorded: `name` `always_on`, `always_off`, `trace_id_ratio` (`options.fraction`) or " +
        "`parent_base`: as the caller's trace says, and by `options.root` where it says nothing.",
    ),
  additional_attributes: names.describe("Variables that become attributes of the span, e.g. `http_user_agent`."),
  additional_header_prefix_attributes: names.describe(
    "Fields of the request that become attributes; with `*` at the end all that begin so.",
  ),
});

/** {@link opentelemetrySchema} with defaults filled in. */
export type OpentelemetryConfig = z.output<typeof opentelemetrySchema>;

/** Its sampler. */
export type SamplerConfig = OpentelemetryConfig["sampler"];

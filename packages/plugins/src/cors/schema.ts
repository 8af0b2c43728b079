import { z } from "zod";
import { checkPatterns } from "../shared/patterns.ts";
import { uniqueList } from "../shared/unique-list.ts";

/** `*`, `**`, `null`, or origins separated by commas (APISIX: cors). */
export const ORIGINS = /^(\*|\*\*|null|\w+:\/\/[^,]+(,\w+:\/\/[^,]+)*)$/;

const textList = () => uniqueList(z.string().min(1).max(4096), { min: 1 });

const NO_WILDCARD = "you can not set '*' for other option when 'allow_credential' is true";

/** Configuration of the plugin (APISIX: cors). */
export const corsSchema = z
  .looseObject({
    allow_origins: z
      .string()
      .regex(ORIGINS)
      .default("*")
      .describe(
        "Origins that may read answers: `*` for all, `**` for all with the origin echoed, `null`, or a comma list of `scheme://host[:port]`.",
      ),
    allow_methods: z
      .string()
      .default("*")
      .describe("`Access-Control-Allow-Methods`; `**` stands for all methods, spelled out."),
    allow_headers: z
      .string()
      .default("*")
      .describe("`Access-Control-Allow-Headers`; `**` echoes what the preflight asks for."),
    expose_headers: z.string().optional().describe("`Access-Control-Expose-Headers`."),
    max_age: z.int().default(5).describe("`Access-Control-Max-Age`: seconds a preflight's result is kept."),
    allow_credential: z
      .boolean()
      .default(false)
      .describe("Whether `Access-Control-Allow-Credentials: true` is sent; then nothing else may be `*`."),
    allow_origins_by_regex: textList()
      .optional()
      .describe("Regular expressions; an origin that one occurs in is allowed. They replace `allow_origins`."),
    allow_origins_by_metadata: textList()
      .optional()
      .describe("Names in the plugin metadata's `allow_origins` whose origins are allowed too."),
    timing_allow_origins: z
      .string()
      .regex(ORIGINS)
      .optional()
      .describe("Origins that may read timings, as `allow_origins`; absent: `Timing-Allow-Origin` is not sent."),
    timing_allow_origins_by_regex: textList().optional().describe("The same as regular expressions."),
  })
  .superRefine((config, context) => {
    const values = [config.allow_origins, config.allow_methods, config.allow_headers, config.expose_headers];
    if (config.allow_credential && [...values, config.timing_allow_origins].includes("*")) {
      context.addIssue({ code: "custom", message: NO_WILDCARD });
    }
    checkPatterns(context, config.allow_origins_by_regex, config.timing_allow_origins_by_regex);
  });

/** {@link corsSchema} with defaults filled in. */
export type CorsConfig = z.output<typeof corsSchema>;

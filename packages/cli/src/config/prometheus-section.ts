import { z } from "zod";
import { field } from "./field-notes.ts";
import { port } from "./field-types.ts";

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const extraLabel = z
  .record(z.string().regex(LABEL), z.string().regex(/^\$\w+$/))
  .refine((label) => Object.keys(label).length === 1, "expected one name with one variable");

const metric = () =>
  field(z.object({ expire: z.number().min(0).optional(), extra_labels: z.array(extraLabel).optional() }), {
    type: "{expire, extra_labels}",
    description:
      "`expire`: seconds without a request after which a series goes, 0: never; `extra_labels`: list of {name: $variable}.",
    difference: "series are looked at when somebody scrapes",
  });

/** `plugin_attr.prometheus`. */
export const prometheusSection = z.object({
  export_uri: field(z.string().startsWith("/"), { description: "Path of the metrics." }),
  metric_prefix: field(z.string(), { description: "What names of metrics start with." }),
  enable_export_server: field(z.boolean(), {
    description: "false leaves the metrics listener out; `public-api` can publish the metrics then.",
  }),
  export_addr: field(z.object({ ip: z.string().min(1).optional(), port: port().optional() }), {
    type: "{ip, port}",
    description: "Where the metrics listener is.",
  }),
  default_buckets: field(z.array(z.number().positive()).min(1), {
    type: "list of numbers",
    description: "Upper bounds of `http_latency` in milliseconds; left out: 1 to 60000.",
  }),
  metrics: z.object({ http_status: metric(), http_latency: metric(), bandwidth: metric() }).optional(),
});

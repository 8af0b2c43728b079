import { z } from "zod";
import { field } from "./field-notes.ts";

/** Where services of upstreams are found. APISIX: `discovery`. */
export const discoverySection = z.object({
  dns: z
    .object({
      servers: field(z.array(z.string().min(1)).min(1), {
        type: "list of addresses",
        description: "DNS servers that `service_name` of upstreams with `discovery_type: dns` is looked up at.",
      }),
      resolv_conf: field(z.string().min(1), {
        type: "path",
        description: "File in the form of `resolv.conf` that names those servers.",
      }),
      order: field(
        z
          .array(z.enum(["last", "SRV", "A", "AAAA", "CNAME"]))
          .min(1)
          .max(5),
        {
          type: "list of record types",
          description: "Record types in the order they are asked for; left out: SRV, A, AAAA.",
          difference: "`last` and `CNAME` have no effect: aliases are followed in any case",
        },
      ),
    })
    .refine(({ servers, resolv_conf: file }) => (servers === undefined) !== (file === undefined), {
      error: "expected either servers or resolv_conf",
    })
    .optional(),
});

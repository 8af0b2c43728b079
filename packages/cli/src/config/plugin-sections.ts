import { z } from "zod";
import { field } from "./field-notes.ts";

/** A whole number of some unit, as nginx writes it; plugins read the text themselves. */
const amount = () => z.string().regex(/^\d+[a-zA-Z]*$/);

/** `plugin_attr` of plugins that are no part of the data plane itself. Each plugin gets its own section. */
export const pluginSections = {
  redirect: z
    .object({
      https_port: field(z.int().min(1).max(65_535), {
        description: "Port of the addresses that `http_to_https` sends clients to.",
        difference: "left out: the addresses have no port; APISIX takes one of its TLS ports",
      }),
    })
    .optional(),
  "proxy-mirror": z
    .object({
      timeout: field(z.object({ connect: amount().optional(), read: amount().optional(), send: amount().optional() }), {
        type: "{connect, read, send}",
        description: "How long a copy may take; left out: 60s.",
        difference: "the longest of the three bounds the whole copy",
      }),
    })
    .optional(),
  "batch-requests": z
    .object({ uri: field(z.string().startsWith("/"), { description: "Path that batches are sent to." }) })
    .optional(),
};

/** `apisix.proxy_cache`: what the plugin `proxy-cache` keeps its answers in. */
export const proxyCacheSection = z
  .object({
    cache_ttl: field(amount(), {
      type: "time",
      description: "How long answers on disk are kept that do not say; left out: 10s.",
    }),
    zones: field(
      z
        .array(
          z.object({
            name: z.string().min(1).max(100),
            memory_size: amount(),
            disk_size: amount().optional(),
            disk_path: z.string().min(1).optional(),
            cache_levels: z.string().optional(),
          }),
        )
        .min(1),
      {
        type: "list of {name, memory_size, disk_size, disk_path}",
        description: "Zones of the plugin `proxy-cache`: with `disk_path` on disk, else in memory.",
        difference: "left out: APISIX's two; `cache_levels` has no effect",
      },
    ),
  })
  .optional();

/** The sections by plugin name, as plugins get them. */
export function pluginAttributesOf(file: {
  readonly plugin_attr?: Readonly<Record<string, object | undefined>> | undefined;
  readonly apisix?: { readonly proxy_cache?: object | undefined } | undefined;
}): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const sections = { ...file.plugin_attr, "proxy-cache": file.apisix?.proxy_cache };
  return Object.fromEntries(
    Object.entries(sections).flatMap(([name, section]) => (section === undefined ? [] : [[name, { ...section }]])),
  );
}

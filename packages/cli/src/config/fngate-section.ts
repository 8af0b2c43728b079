import { z } from "zod";
import { field } from "./field-notes.ts";

const adminTarget = z
  .string()
  .refine((text) => /^unix:\/./.test(text) || (URL.canParse(text) && new URL(text).protocol === "http:"), {
    error: "expected http://host:port or unix:/path",
  });

/** Our own section of the configuration file; nothing in it exists in APISIX. */
export const fngateSection = z.object({
  data_dir: field(z.string().min(1), {
    type: "path",
    description: "Directory of the embedded store, the generated key and the logs; relative to the working directory.",
  }),
  admin_socket: field(z.string().startsWith("/", "expected an absolute path"), {
    type: "path",
    description: "Unix socket on which the Admin API listens instead of `deployment.admin.admin_listen`.",
  }),
  standalone_file: field(z.string().min(1), {
    type: "path",
    description:
      "The file of providers `yaml` and `json`, relative to the directory of `config.yaml`; left out: `apisix.yaml` or `apisix.json` there.",
  }),
  admin_ui: field(z.string().min(1), {
    type: "path",
    description:
      "Folder with the built files of a dashboard, such as APISIX's; the Admin API's port serves them at `/ui/`, without a key.",
  }),
  proxy_admin: z
    .object({
      enable: field(z.boolean(), {
        description: "Serves `/apisix/admin` on the data plane's listeners, as old APISIX did.",
      }),
      upstream: field(adminTarget, {
        type: "`http://host:port` or `unix:/path`",
        description: "The Admin API behind it; left out: the one of this process, or `http://127.0.0.1:9180`.",
      }),
      allow: field(z.array(z.string().min(1)), {
        type: "list of addresses and CIDR ranges",
        description: "Who may use it; everybody else gets what they would get without it.",
      }),
    })
    .optional(),
  plugin_paths: field(z.array(z.string().min(1)), {
    type: "list of paths and package names",
    description:
      "Plugins of your own: a plugin's folder, a folder of such folders (paths begin with `./` or `/`, relative to the directory of `config.yaml`), or a package.",
  }),
  plugin_timeout: field(z.number().positive().max(2_000_000), {
    type: "seconds",
    description:
      "Longest wait for a plugin that does not answer at once; then the request is answered 500 and the plugin is named in the log.",
  }),
  rewrite_function_target: field(z.boolean(), {
    description:
      "Whether the `uri`, `regex_uri` and `host` of `proxy-rewrite` also change what `openfunction`, `azure-functions` and `aws-lambda` call; `false` calls the functions that APISIX calls. Its `method` and `headers` count either way.",
    difference: "APISIX ignores them for functions; `false` is its behaviour.",
  }),
  sample_function: z
    .object({
      enable: field(z.boolean(), { description: "Starts a small HTTP function to try the gateway with." }),
      port: field(z.int().min(0).max(65_535), { description: "Its port on 127.0.0.1." }),
    })
    .optional(),
  access_log: z
    .object({
      path: field(z.string().min(1), {
        type: "path",
        description: "Overrides `nginx_config.http.access_log`; `off` for none.",
      }),
      format: field(z.enum(["text", "json"]), {
        description: "APISIX's default text line, or one JSON object per line.",
      }),
    })
    .optional(),
  last_known: z
    .object({
      enable: field(z.boolean(), {
        description:
          "Keeps the last complete configuration on disk, so that a data plane starts without etcd; not with an embedded store.",
      }),
    })
    .optional(),
});

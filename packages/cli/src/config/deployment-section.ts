import { z } from "zod";
import { field } from "./field-notes.ts";
import { addressRanges, port } from "./field-types.ts";

const adminKey = z.object({
  name: z.string().min(1),
  key: field(z.string(), { description: "The key itself.", isSecret: true }).unwrap(),
  role: z.string().min(1),
});

const adminCertificates = z.object({
  admin_ssl_cert: field(z.string(), { type: "path", description: "Certificate of the Admin API (PEM)." }),
  admin_ssl_cert_key: field(z.string(), { type: "path", description: "Key of that certificate (PEM)." }),
  admin_ssl_ca_cert: field(z.string(), {
    type: "path",
    description: "Authority of client certificates (PEM); with one, clients without such a certificate get 400.",
  }),
});

const admin = z.object({
  admin_key_required: field(z.boolean(), {
    description: "false takes every Admin API request as an administrator's.",
    difference: "false is refused unless the listener is on loopback",
  }),
  admin_key: field(z.array(adminKey), {
    type: "list of {name, key, role}",
    description:
      "Keys of the Admin API; role `viewer` may only read, any other may do everything. An empty key of role `admin` is generated once, on loopback only, and kept in `<data_dir>/admin.key`.",
    difference:
      "the generated key goes to its own file, the configuration file is left alone; a key stays a text even when it looks like a number; APISIX's published key is refused unless the listener is on loopback",
  }),
  enable_admin_cors: field(z.boolean(), {
    description: "Answers with CORS fields that allow every origin; left out: yes.",
    difference:
      "left out, pages of other origins are refused while the admin key is publicly known or not required; `true` lets them in",
  }),
  admin_api_version: field(z.enum(["v3", "v2"], { error: "expected v3 or v2" }), {
    description: "Shapes of the Admin API's answers: today's, or those of APISIX before version 3.",
    difference:
      "other values are refused, in APISIX they stand for v2; lists of v2 have no credentials among consumers and no cost decorations among services, and its writes with `ttl` do not name the lease",
  }),
  enable_admin_ui: field(z.boolean(), {
    description: "false serves no dashboard.",
    difference: "no dashboard comes with the gateway: `fngate.admin_ui` says where one is",
  }),
  allow_admin: field(addressRanges(), {
    type: "list of addresses and CIDR ranges",
    description: "Who may connect to the Admin API; null lets everyone.",
  }),
  https_admin: field(z.boolean(), {
    description: "The Admin API speaks TLS; needs `admin_ssl_cert` and `admin_ssl_cert_key`.",
    difference: "`fngate.proxy_admin` does not reach such an Admin API",
  }),
  admin_api_mtls: adminCertificates.optional(),
  admin_listen: field(z.object({ ip: z.string().min(1).optional(), port: port().optional() }), {
    type: "{ip, port}",
    description: "Where the Admin API listens.",
    difference: "loopback by default, APISIX listens on every address",
  }),
});

const etcd = z.object({
  host: field(z.array(z.string().regex(/^https?:\/\//, "expected a URL that starts with http:// or https://")).min(1), {
    type: "list of URLs",
    description: "etcd end points; `APISIX_DEPLOYMENT_ETCD_HOST` (a JSON list) replaces it.",
  }),
  prefix: field(z.string().regex(/^\/.*[^/]$/, "expected a path that starts with a slash and ends without one"), {
    description: "Where the configuration lives in the store; holds for the embedded store too.",
  }),
  timeout: field(z.number().min(1), { description: "Seconds that a call may take." }),
  user: field(z.string(), { description: "User name; needs a password." }),
  password: field(z.string(), { description: "Password of the user.", isSecret: true }),
  tls: z
    .object({
      cert: field(z.string(), { type: "path", description: "Client certificate (PEM)." }),
      key: field(z.string(), { type: "path", description: "Key of the client certificate (PEM)." }),
      ca: field(z.string(), {
        type: "path",
        description: "Certificates that the server's must come from (PEM).",
        difference: "not in APISIX, which takes `apisix.ssl.ssl_trusted_certificate`",
      }),
      verify: field(z.boolean(), { description: "Whether the server's certificate is checked." }),
      sni: field(z.string().min(1), { description: "Name that the server's certificate must carry." }),
    })
    .optional(),
});

const providerNote = {
  description: "Where the configuration is kept: etcd, or a file of this machine in `fngate.data_dir`.",
  difference: "`embedded` is ours",
} as const;

const traditionalNote = {
  description:
    "As below; `yaml`: standalone, the whole configuration is put to `/apisix/admin/configs` and kept in memory, or with `enable_admin: false` read from `apisix.yaml`.",
  difference: "`embedded` is ours",
} as const;

const dataPlaneNote = {
  description:
    "Where the configuration is: etcd, the embedded store, or the file `apisix.yaml` (`yaml`) or `apisix.json` (`json`) beside `config.yaml`, which is read again whenever it changes.",
  difference: "`embedded` is ours; APISIX's xds is not there",
} as const;

/** `deployment` of `config.yaml`. */
export const deploymentSection = z.object({
  role: field(z.enum(["traditional", "control_plane", "data_plane"]), {
    description: "Both planes in one process, or one of them.",
  }),
  role_traditional: z
    .object({ config_provider: field(z.enum(["etcd", "embedded", "yaml"]), traditionalNote) })
    .optional(),
  role_control_plane: z.object({ config_provider: field(z.enum(["etcd", "embedded"]), providerNote) }).optional(),
  role_data_plane: z
    .object({ config_provider: field(z.enum(["etcd", "embedded", "yaml", "json"]), dataPlaneNote) })
    .optional(),
  admin: admin.optional(),
  etcd: etcd.optional(),
});

import { z } from "zod";
import { discoverySection } from "./discovery-section.ts";
import { field } from "./field-notes.ts";
import { fngateSection } from "./fngate-section.ts";
import { NGINX_SIZE, NGINX_TIME } from "./nginx-units.ts";
import { pluginSections, proxyCacheSection } from "./plugin-sections.ts";

/** APISIX's key for `apisix.node_listen` entries and other addresses; port 0 takes any free port. */
const port = () => z.int().min(0).max(65_535);

const nodeListenEntry = z.union([port(), z.object({ ip: z.string().min(1).optional(), port: port().optional() })], {
  error: "expected a port or a map of ip and port",
});

const TLS_PROTOCOLS = /^\s*TLSv1\.[123](?:\s+TLSv1\.[123])*\s*$/;

const nodeListen = z.union([port(), z.array(nodeListenEntry)], {
  error: "expected a port, or a list of ports and maps of ip and port",
});

const addressRanges = () => z.array(z.string().min(1));

const onOff = () => z.union([z.boolean(), z.enum(["on", "off"])], { error: "expected on or off" });

const nginxTime = () =>
  z.union([z.number().nonnegative(), z.string().regex(NGINX_TIME, "expected a time such as 60s or 500ms")], {
    error: "expected a time such as 60s, 500ms or a number of seconds",
  });

const nginxSize = () =>
  z.union([z.int().nonnegative(), z.string().regex(NGINX_SIZE, "expected a size such as 512, 8k or 10m")], {
    error: "expected a size such as 512, 8k or 10m",
  });

const keyringKey = z.string().refine((key) => key.length === 16 || key.length === 32, {
  error: "expected a key of 16 or 32 characters",
});

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
      "Keys of the Admin API; role `viewer` may only read, any other may do everything. An empty key of role `admin` is generated once and kept in `<data_dir>/admin.key`.",
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

const deployment = z.object({
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

const apisix = z.object({
  node_listen: field(nodeListen, {
    type: "port, or list of ports and {ip, port}",
    description: "Where the data plane listens.",
    difference: "an entry without `ip` is on 127.0.0.1, in APISIX on every address",
  }),
  enable_admin: field(z.boolean(), { description: "false leaves the Admin API out in role traditional." }),
  enable_ipv6: field(z.boolean(), {
    description: "Proxy listeners without `ip` listen on `[::1]` too.",
    difference: "off by default, and `[::1]` instead of `[::]`",
  }),
  enable_server_tokens: field(z.boolean(), { description: "Whether `Server` names the version." }),
  show_upstream_status_in_response_header: field(z.boolean(), {
    description: "`X-APISIX-Upstream-Status` with every upstream answer and not only with 5xx.",
  }),
  dns_resolver: field(z.array(z.string().min(1)).min(1), {
    type: "list of addresses",
    description: "DNS servers that names of upstream nodes are resolved by; left out: those of `/etc/resolv.conf`.",
  }),
  dns_resolver_valid: field(z.number().positive(), {
    description: "How long an answer of DNS is kept, in seconds, whatever it says itself.",
  }),
  resolver_timeout: field(z.number().positive(), {
    description: "How long one DNS server is waited for, in seconds.",
  }),
  enable_resolv_search_opt: field(z.boolean(), {
    description: "Whether the search domains of `/etc/resolv.conf` are tried.",
  }),
  disable_upstream_healthcheck: field(z.boolean(), { description: "true leaves `checks` of upstreams alone." }),
  proxy_mode: field(z.enum(["http", "stream", "http&stream"]), {
    description: "`stream` lets the Admin API take stream routes.",
    difference: "streams themselves are not proxied yet",
  }),
  router: z
    .object({
      http: field(z.enum(["radixtree_host_uri", "radixtree_uri", "radixtree_uri_with_parameter"]), {
        description: "Whether hosts or URIs are compared first, and whether URIs have parameters.",
      }),
    })
    .optional(),
  proxy_cache: proxyCacheSection,
  trusted_addresses: field(addressRanges().min(1), {
    type: "list of addresses and CIDR ranges",
    description: "Peers whose `X-Forwarded-*` fields are believed.",
  }),
  enable_http2: field(z.boolean(), {
    description:
      "HTTP/2 on all proxy ports: agreed on with TLS, and by prior knowledge on plain ports, beside HTTP/1.1.",
  }),
  proxy_protocol: z
    .object({
      listen_http_port: field(port(), {
        description:
          "Another plain port, on which every connection has to begin with a PROXY protocol header (1 or 2).",
        difference: "on loopback, as `node_listen` without `ip`",
      }),
      listen_https_port: field(port(), {
        description: "The same with TLS behind the header.",
        difference: "on loopback, as `node_listen` without `ip`",
      }),
    })
    .optional(),
  ssl: z
    .object({
      enable: field(z.boolean(), { description: "false leaves the TLS listeners out." }),
      listen: field(z.array(z.object({ ip: z.string().min(1).optional(), port: port().optional() })), {
        type: "list of {ip, port}",
        description: "Where the data plane listens with TLS; certificates are the `ssls` of the Admin API.",
        difference: "an entry without `ip` is on 127.0.0.1; `enable_http3` has no effect",
      }),
      ssl_protocols: field(z.string().regex(TLS_PROTOCOLS, "expected some of TLSv1.1 TLSv1.2 TLSv1.3"), {
        type: "TLSv1.1, TLSv1.2, TLSv1.3, separated by spaces",
        description: "Versions of TLS for certificates that name none of their own.",
      }),
      ssl_ciphers: field(z.string().min(1), {
        type: "OpenSSL's list",
        description: "Cipher suites up to TLS 1.2, the gateway's order counts; those of TLS 1.3 are fixed.",
      }),
      ssl_session_tickets: field(z.boolean(), {
        description: "Lets clients resume sessions by tickets.",
        difference:
          "ticket keys are random, one set per certificate object, and kept in memory; without tickets no session is resumed, in APISIX by its id for ten minutes",
      }),
      fallback_sni: field(z.string().min(1), {
        description: "Name whose certificate clients get that name no server; left out: such clients are refused.",
      }),
      ssl_trusted_certificate: field(z.string().min(1), {
        type: "path or `system`",
        description:
          "Certificates (PEM) that `https` functions, upstreams and etcd are checked against; `system`: those of Node and the system.",
        difference:
          "a file adds to those of Node and the system, in APISIX it replaces them; for etcd it replaces them here too",
      }),
    })
    .optional(),
  delete_uri_tail_slash: field(z.boolean(), { description: "Cuts one trailing slash for matching." }),
  match_uri_encoded_slash: field(z.boolean(), { description: "Keeps `%2F` as it is for matching." }),
  normalize_uri_like_servlet: field(z.boolean(), {
    description: "Cuts `;` and what follows off every segment of the path, as servlet containers do.",
    difference: "goes together with `delete_uri_tail_slash`, which it undoes in APISIX",
  }),
  max_post_args_readable_size: field(z.int().nonnegative(), {
    type: "MiB",
    description: "Largest body that is read for `post_arg` variables; 0: any. Larger ones have none.",
    difference: "holds for `post_arg_<name>` too",
  }),
  data_encryption: z
    .object({
      enable_encrypt_fields: field(z.boolean(), { description: "Encrypts secret plugin fields in the store." }),
      keyring: field(
        z.union([keyringKey, z.array(keyringKey).min(1)], { error: "expected keys of 16 or 32 characters" }),
        {
          type: "key or list of keys",
          description: "AES keys: the first encrypts, all decrypt.",
          isSecret: true,
        },
      ),
    })
    .optional(),
  enable_control: field(z.boolean(), { description: "false leaves the Control API out." }),
  control: z
    .object({
      ip: field(z.string().min(1), {
        description: "Address of the Control API, which asks nobody who they are; default 127.0.0.1.",
        difference: "fields that are encrypted in the store are shown encrypted",
      }),
      port: field(port(), { description: "Port of the Control API; default 9090." }),
    })
    .optional(),
  status: z
    .object({
      ip: field(z.string().min(1), { description: "Address of the status listener; default 127.0.0.1." }),
      port: field(port(), { description: "Port of the status listener; default 7085." }),
    })
    .optional(),
});

const prometheus = z.object({
  export_uri: field(z.string().startsWith("/"), { description: "Path of the metrics." }),
  metric_prefix: field(z.string(), { description: "What names of metrics start with." }),
  enable_export_server: field(z.boolean(), { description: "false leaves the metrics listener out." }),
  export_addr: field(z.object({ ip: z.string().min(1).optional(), port: port().optional() }), {
    type: "{ip, port}",
    description: "Where the metrics listener is.",
  }),
});

const nginxConfig = z.object({
  error_log_level: field(z.enum(["debug", "info", "notice", "warn", "error", "crit", "alert", "emerg"]), {
    description: "Least severe level that is logged to standard error.",
    difference: "`notice` by default, so that the start is seen; APISIX: `warn`",
  }),
  worker_processes: field(z.union([z.int().positive(), z.literal("auto")], { error: "expected a number or auto" }), {
    type: "number or `auto`",
    description:
      "Processes that serve requests on the same ports; `auto`: one per core. With 1 everything is in one process. `APISIX_WORKER_PROCESSES` replaces it.",
    difference:
      "limit counters and health checks are each process's own; one process where the Admin API keeps a document in memory",
  }),
  worker_shutdown_timeout: field(nginxTime(), {
    type: "time",
    description: "How long requests may go on after SIGINT or SIGTERM.",
  }),
  http: z
    .object({
      enable_access_log: field(z.boolean(), { description: "Whether requests are logged." }),
      access_log: field(z.string().min(1), {
        type: "path",
        description: "File of the access log; `off` for none.",
        difference: "relative to `fngate.data_dir`",
      }),
      access_log_format: field(z.string().min(1), {
        type: "template",
        description: "Line of the access log in nginx's variables; left out: APISIX's line. Not for the format `json`.",
        difference:
          "an unknown variable keeps the gateway from starting, as in nginx; not every variable of nginx is known",
      }),
      keepalive_timeout: field(nginxTime(), {
        type: "time",
        description: "How long a client's connection may idle between requests; 0: none is kept.",
      }),
      client_header_timeout: field(nginxTime(), {
        type: "time",
        description: "How long a head may take; then 408.",
        difference: "APISIX closes the connection without an answer",
      }),
      client_body_timeout: field(nginxTime(), {
        type: "time",
        description: "How long a body, or a client that reads its answer, may make no progress; then 408.",
        difference: "for answers APISIX has `send_timeout`, which is not supported yet",
      }),
      client_max_body_size: field(nginxSize(), {
        type: "size",
        description: "Largest request body, beyond it 413; 0: no limit.",
      }),
      upstream: z
        .object({
          keepalive: field(z.int().min(1), {
            description: "Idle connections kept to one upstream node, where the upstream has no `keepalive_pool`.",
          }),
          keepalive_requests: field(z.int().min(1), {
            description: "Requests that one such connection carries before it is closed.",
          }),
          keepalive_timeout: field(nginxTime(), {
            type: "time",
            description: "How long such a connection may idle.",
          }),
        })
        .optional(),
      real_ip_header: field(z.string().min(1), {
        description:
          "Field that names the client to believed peers; `proxy_protocol`: the PROXY protocol's header, which else only sets `proxy_protocol_addr`.",
      }),
      real_ip_recursive: field(onOff(), { type: "on or off", description: "Skip believed addresses from the right." }),
      real_ip_from: field(addressRanges(), {
        type: "list of addresses and CIDR ranges",
        description: "Peers that are believed.",
      }),
    })
    .optional(),
});

/** `config.yaml` as we read it: APISIX's keys that we support, and our own section. Defaults are not filled in here. */
export const configSchema = z.object({
  deployment: deployment.optional(),
  apisix: apisix.optional(),
  plugins: field(z.array(z.string()), {
    type: "list of names",
    description: "The plugins that objects may use; left out: all there are.",
    difference: "the default is what we have, not APISIX's list; names we do not have are named in a warning",
  }),
  plugin_attr: z
    .object({ prometheus: prometheus.optional(), ...pluginSections })
    .catchall(z.record(z.string(), z.unknown()))
    .optional(),
  graphql: z
    .object({
      max_size: field(z.int().positive(), {
        type: "bytes",
        description: "Largest body that is read for `graphql_*` variables; larger ones have none.",
      }),
    })
    .optional(),
  discovery: discoverySection.optional(),
  nginx_config: nginxConfig.optional(),
  fngate: fngateSection.optional(),
});

/** A configuration file that fits {@link configSchema}. */
export type ConfigFile = z.output<typeof configSchema>;

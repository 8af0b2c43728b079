import { z } from "zod";
import { deploymentSection } from "./deployment-section.ts";
import { discoverySection } from "./discovery-section.ts";
import { field } from "./field-notes.ts";
import { addressRanges, nginxSize, nginxTime, onOff, port } from "./field-types.ts";
import { fngateSection } from "./fngate-section.ts";
import { pluginSections, proxyCacheSection } from "./plugin-sections.ts";
import { prometheusSection } from "./prometheus-section.ts";

const nodeListenEntry = z.union([port(), z.object({ ip: z.string().min(1).optional(), port: port().optional() })], {
  error: "expected a port or a map of ip and port",
});

/** Nothing that could end a field or a parameter of it. */
const CHARSET = /^[\w.:+-]+$/;

const TLS_PROTOCOLS = /^\s*TLSv1\.[123](?:\s+TLSv1\.[123])*\s*$/;

const nodeListen = z.union([port(), z.array(nodeListenEntry)], {
  error: "expected a port, or a list of ports and maps of ip and port",
});

const keyringKey = z.string().refine((key) => key.length === 16 || key.length === 32, {
  error: "expected a key of 16 or 32 characters",
});

const apisix = z.object({
  node_listen: field(nodeListen, {
    type: "port, or list of ports and {ip, port}",
    description: "Where the data plane listens.",
    difference: "an entry without `ip` is on 127.0.0.1, in APISIX on every address",
  }),
  id: field(z.union([z.string().min(1), z.number()]), {
    type: "text or number",
    description: "What `server-info` and `node-status` call the gateway; left out: an id kept in `fngate.data_dir`.",
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
  lru: z
    .object({
      secret: z
        .object({
          ttl: field(z.number().positive(), {
            description:
              "After how many seconds a secret is asked for again; one that is known holds until the answer.",
          }),
          count: field(z.int().positive(), {
            description: "How many secrets may be in use.",
            difference:
              "failures included: `neg_count` has no effect; more cannot be had, in APISIX old ones are forgotten",
          }),
          neg_ttl: field(z.number().positive(), {
            description: "After how many seconds a secret that could not be had is asked for again.",
          }),
        })
        .optional(),
    })
    .optional(),
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
          "ticket keys are random, others for each certificate object, shared by the workers and as old as the gateway; without tickets no session is resumed, in APISIX by its id for ten minutes",
      }),
      fallback_sni: field(z.string().min(1), {
        description: "Name whose certificate clients get that name no server; left out: such clients are refused.",
      }),
      ssl_trusted_certificate: field(z.string().min(1), {
        type: "path or `system`",
        description:
          "Certificates (PEM) that `https` functions, upstreams, etcd, Redis and LDAP servers are checked against; `system`: those of Node and the system.",
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
    description: "How long requests may go on after SIGINT, SIGTERM or SIGQUIT.",
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
          "variables of the gateway such as `$route_id` are there, too; those of nginx that have no value here are named in a warning and logged as absent; a variable that neither knows keeps the gateway from starting, as in nginx",
      }),
      access_log_format_escape: field(z.enum(["default", "json", "none"]), {
        description:
          "How values are written into that line: `\\xHH` for what could break it and `-` for none, as inside a JSON string, or as they are.",
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
      charset: field(z.string().regex(CHARSET, "expected the name of a charset, or off"), {
        type: "name of a charset, or `off`",
        description: "What is added to text types in answers that name no charset.",
        difference: "the Control API and `/status` say utf-8 whatever it is",
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
  deployment: deploymentSection.optional(),
  apisix: apisix.optional(),
  plugins: field(z.array(z.string()), {
    type: "list of names",
    description: "The plugins that objects may use; left out: all there are.",
    difference: "the default is what we have, not APISIX's list; names we do not have are named in a warning",
  }),
  plugin_attr: z
    .object({ prometheus: prometheusSection.optional(), ...pluginSections })
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

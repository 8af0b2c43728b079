import type { TreeMap } from "./tree.ts";

/**
 * What holds for keys that a file leaves out. APISIX compiles its defaults in likewise; ours differ where the
 * schema's notes say so, above all in that nothing listens beyond this machine unless told to.
 */
export const DEFAULTS = {
  deployment: {
    role: "traditional",
    role_traditional: { config_provider: "etcd" },
    admin: {
      admin_key_required: true,
      admin_key: [{ name: "admin", key: "", role: "admin" }],
      admin_api_version: "v3",
      enable_admin_ui: true,
      allow_admin: ["127.0.0.0/24"],
      admin_listen: { ip: "127.0.0.1", port: 9180 },
    },
    etcd: {
      host: ["http://127.0.0.1:2379"],
      prefix: "/apisix",
      timeout: 30,
      tls: { verify: true },
    },
  },
  apisix: {
    node_listen: [9080],
    enable_admin: true,
    enable_ipv6: false,
    enable_server_tokens: true,
    show_upstream_status_in_response_header: false,
    resolver_timeout: 5,
    enable_resolv_search_opt: true,
    disable_upstream_healthcheck: false,
    proxy_mode: "http",
    lru: { secret: { ttl: 300, count: 512, neg_ttl: 60 } },
    router: { http: "radixtree_host_uri" },
    enable_http2: true,
    ssl: {
      enable: true,
      listen: [{ port: 9443 }],
      ssl_protocols: "TLSv1.2 TLSv1.3",
      ssl_session_tickets: false,
      ssl_trusted_certificate: "system",
    },
    delete_uri_tail_slash: false,
    enable_control: true,
    control: { ip: "127.0.0.1", port: 9090 },
    match_uri_encoded_slash: false,
    normalize_uri_like_servlet: false,
    max_post_args_readable_size: 64,
    data_encryption: {
      enable_encrypt_fields: true,
      // APISIX's published pair: without it we could not read what an APISIX with its own defaults has written.
      keyring: ["qeddd145sfvddff3", "edd1c9f0985e76a2"],
    },
  },
  graphql: { max_size: 1_048_576 },
  plugin_attr: {
    prometheus: {
      export_uri: "/apisix/prometheus/metrics",
      metric_prefix: "apisix_",
      enable_export_server: true,
      export_addr: { ip: "127.0.0.1", port: 9091 },
    },
  },
  nginx_config: {
    error_log_level: "notice",
    worker_processes: "auto",
    worker_shutdown_timeout: "240s",
    http: {
      enable_access_log: true,
      access_log: "logs/access.log",
      keepalive_timeout: "60s",
      client_header_timeout: "60s",
      client_body_timeout: "60s",
      client_max_body_size: 0,
      charset: "utf-8",
      upstream: { keepalive: 320, keepalive_requests: 1000, keepalive_timeout: "60s" },
      real_ip_header: "X-Real-IP",
      real_ip_recursive: "off",
      real_ip_from: ["127.0.0.1"],
    },
  },
  fngate: {
    data_dir: ".fngate",
    plugin_timeout: 300,
    rewrite_function_target: true,
    proxy_admin: { enable: false, allow: ["127.0.0.0/8", "::1/128"] },
    sample_function: { enable: false, port: 3233 },
    access_log: { format: "text" },
    last_known: { enable: true },
  },
} as const satisfies TreeMap;

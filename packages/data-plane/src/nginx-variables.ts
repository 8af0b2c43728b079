/** Values that APISIX gives variables of requests that no model and no mirror has to do with; there are no others here. */
const CONSTANTS: Readonly<Record<string, string>> = {
  request_type: "traditional_http",
  request_llm_model: "",
  llm_model: "",
  llm_time_to_first_token: "0",
  llm_prompt_tokens: "0",
  llm_completion_tokens: "0",
  rate_limiting_info: "",
};

/** The value of a variable that is the same for every request here; nothing for others. */
export function constantVariable(name: string): string | undefined {
  return Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : undefined;
}

/** Variables that nginx or APISIX has and that have no value here (nginx: the modules' lists of variables). */
const WITHOUT_VALUE: ReadonlySet<string> = new Set([
  ...["ancient_browser", "binary_remote_addr", "date_gmt", "date_local", "document_root"],
  ...["fastcgi_path_info", "fastcgi_script_name", "gzip_ratio", "http3", "invalid_referer", "is_request_port"],
  ...["limit_conn_status", "limit_rate", "limit_req_status", "memcached_key", "modern_browser", "msie"],
  ...["nginx_version", "proxy_add_x_forwarded_for", "proxy_host", "proxy_port", "realpath_root", "request_body"],
  ...["request_body_file", "request_filename", "request_port", "secure_link", "secure_link_expires"],
  ...["session_log_id", "slice_range", "uid_got", "uid_reset", "uid_set"],
  ...["connections_active", "connections_reading", "connections_waiting", "connections_writing"],
  ...["tcpinfo_rcv_space", "tcpinfo_rtt", "tcpinfo_rttvar", "tcpinfo_snd_cwnd"],
  ...["upstream_cache_age", "upstream_cache_etag", "upstream_cache_last_modified", "upstream_cache_status"],
  ...["upstream_last_server_name", "upstream_queue_time"],
  ...["apisix_upstream_response_time", "original_forwarded", "original_x_forwarded_for", "original_x_forwarded_host"],
  ...["original_x_forwarded_port", "original_x_forwarded_proto", "request_line", "resp_body"],
  ...["upstream_connection", "upstream_mirror_host", "upstream_mirror_uri", "upstream_upgrade"],
]);

/** Families of such variables. */
const FAMILY_WITHOUT_VALUE = /^(?:dubbo|geoip|graphql|jwt|llm|otel|post_arg|proxy_protocol_tlv|sent_trailer|wasm)_./;

/** Tells whether nginx or APISIX documents a variable that has no value here. */
export function isKnownWithoutValue(name: string): boolean {
  return WITHOUT_VALUE.has(name) || FAMILY_WITHOUT_VALUE.test(name);
}

/** What the configuration of every logger that sends batches has beside its own fields. */
export function loggerDefaults(name: string) {
  return {
    include_req_body: false,
    include_resp_body: false,
    max_req_body_bytes: 524288,
    max_resp_body_bytes: 524288,
    name,
    batch_max_size: 1000,
    inactive_timeout: 5,
    buffer_duration: 60,
    max_retry_count: 0,
    retry_delay: 1,
  };
}

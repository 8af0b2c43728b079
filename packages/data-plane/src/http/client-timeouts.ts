/** How long a connection may idle between requests (APISIX: `keepalive_timeout` 60s). */
export const KEEP_ALIVE_TIMEOUT_MS = 60_000;

/** A head that takes longer is given up (APISIX: `client_header_timeout` 60s). */
export const HEADERS_TIMEOUT_MS = 60_000;

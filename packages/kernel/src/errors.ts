/**
 * The one error type of the gateway: callers compare `code`, never classes or message text.
 *
 * `message` is lower case, names the thing and the value, and never contains a secret.
 */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  /** Stable `AREA_REASON` string, listed in `packages/kernel/ERRORS.md`. */
  readonly code: ErrorCode;
  /** Plain data for logs and replies; never secrets. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** What a {@link GatewayError} carries beside code and message. */
export interface GatewayErrorOptions {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Every code a {@link GatewayError} can carry; `ERRORS.md` explains each and a test keeps the two equal. */
export const ERROR_CODES = [
  "ADMIN_REFUSED",
  "ADMIN_UNAUTHORIZED",
  "ADMIN_UNREACHABLE",
  "CONFIG_INVALID",
  "CONFIG_UNREADABLE",
  "HTTP_CALL_FAILED",
  "IMPORT_INCOMPLETE",
  "IMPORT_UNDONE",
  "LIFECYCLE_START_FAILED",
  "LIFECYCLE_DRAIN_TIMEOUT",
  "LISTEN_FAILED",
  "PLUGIN_FAILED",
  "PLUGIN_INVALID",
  "PLUGIN_TIMEOUT",
  "PLUGIN_UNSUPPORTED",
  "REQUEST_INVALID",
  "RESOURCE_CHANGED",
  "RESOURCE_IN_USE",
  "RESOURCE_INVALID",
  "RESOURCE_KIND_UNKNOWN",
  "RESOURCE_METHOD_UNSUPPORTED",
  "RESOURCE_NOT_FOUND",
  "ROUTER_PATTERN_INVALID",
  "EXPRESSION_INVALID",
  "STORE_ABORTED",
  "STORE_CLOSED",
  "STORE_CONFLICT",
  "STORE_READ_ONLY",
  "STORE_UNAVAILABLE",
  "STORE_WATCH_LOST",
  "UPSTREAM_INVALID",
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Tells whether `error` is a {@link GatewayError}, of the given code when one is named. */
export function isGatewayError(error: unknown, code?: ErrorCode): error is GatewayError {
  return error instanceof GatewayError && (code === undefined || error.code === code);
}

/** Tells whether `error` is an error of Node or of the system with that code, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** The text of anything that was thrown, for logs and replies. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

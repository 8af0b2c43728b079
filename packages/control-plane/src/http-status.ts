import { type ErrorCode, type GatewayError, isGatewayError, messageOf } from "@fngate/kernel";

/** What goes out for a request: a body of text goes out as it is, an object as JSON and a line feed. */
export interface AdminReply {
  readonly status: number;
  readonly body?: string | object;
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  ADMIN_UNAUTHORIZED: 401,
  REQUEST_INVALID: 400,
  RESOURCE_CHANGED: 412,
  RESOURCE_INVALID: 400,
  RESOURCE_IN_USE: 400,
  RESOURCE_KIND_UNKNOWN: 404,
  RESOURCE_METHOD_UNSUPPORTED: 405,
  RESOURCE_NOT_FOUND: 404,
  STORE_ABORTED: 503,
  STORE_CLOSED: 503,
  STORE_CONFLICT: 503,
  STORE_UNAVAILABLE: 503,
};

/** The one place that knows which error becomes which status and body. Unknown errors are a bare 500. */
export function replyOfError(error: unknown): AdminReply {
  if (!isGatewayError(error)) return { status: 500, body: { error_msg: "internal server error" } };
  const status = STATUS_OF[error.code];
  if (status === undefined) return { status: 500, body: { error_msg: "internal server error" } };
  return { status, body: bodyOf(error) };
}

/** Tells whether an error is one that {@link replyOfError} has words for, so that the log need not. */
export function isExpected(error: unknown): boolean {
  return isGatewayError(error) && STATUS_OF[error.code] !== undefined;
}

function bodyOf(error: GatewayError): string | object {
  const message = messageOf(error);
  if (error.code === "RESOURCE_NOT_FOUND" && error.details["isParent"] !== true) return { message };
  if (error.details["isPlainText"] === true) return message;
  const { description, req_body } = error.details;
  return {
    error_msg: message,
    ...(description === undefined ? {} : { description }),
    ...(req_body === undefined ? {} : { req_body }),
  };
}

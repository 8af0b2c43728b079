import { isRead, type SideAnswer, type SideHandler } from "./side-listener.ts";

/**
 * The status API: alive always, ready from the first configuration until shutdown. `notReady` tells why it is not.
 * Paths are prefixes, and answers are plain text without a line feed, both as in APISIX (status API).
 */
export function createStatusHandler(notReady: () => string | undefined): SideHandler {
  return (request) => {
    if (!isRead(request)) return undefined;
    if (request.path.startsWith("/status/ready")) {
      const error = notReady();
      return error === undefined ? text(200, { status: "ok" }) : text(503, { status: "error", error });
    }
    return request.path.startsWith("/status") ? text(200, { status: "ok" }) : undefined;
  };
}

function text(status: number, body: object): SideAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: JSON.stringify(body) };
}

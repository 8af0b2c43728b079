import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdminReply } from "./http-status.ts";
import { declaredLength, MAX_BODY_BYTES } from "./request-body.ts";

/**
 * How much of a body that nobody reads is still taken in after the answer, in bytes. A connection closed on a
 * sending client is reset, and the reset can swallow the answer; beyond this the client has had its chance.
 */
const MAX_LINGER_BYTES = 16 * 1_048_576;

/** Sends a reply: text as it is, objects as JSON and a line feed, both as `application/json` without charset. */
export async function respond(request: IncomingMessage, response: ServerResponse, reply: AdminReply): Promise<void> {
  const body = typeof reply.body === "object" ? `${JSON.stringify(reply.body)}\n` : (reply.body ?? "");
  response.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (!response.hasHeader("Content-Type")) response.setHeader("Content-Type", "application/json");
  response.setHeader("Content-Length", Buffer.byteLength(body));
  if (request.complete || request.destroyed || !hasBody(request)) {
    response.end(body);
    return;
  }
  if (declaredLength(request) > MAX_BODY_BYTES) response.setHeader("Connection", "close");
  response.flushHeaders();
  response.write(body);
  const isComplete = await discardRest(request);
  response.end(() => {
    if (!isComplete) request.destroy();
  });
}

function hasBody(request: IncomingMessage): boolean {
  return declaredLength(request) > 0 || request.headers["transfer-encoding"] !== undefined;
}

/** Resolves to whether the body came to its end within {@link MAX_LINGER_BYTES}. */
async function discardRest(request: IncomingMessage): Promise<boolean> {
  const enough = new AbortController();
  let size = 0;
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_LINGER_BYTES) enough.abort();
  };
  request.on("data", onData).resume();
  try {
    await once(request, "close", { signal: enough.signal });
  } catch {
    // Too much of it, or the client is gone: either way nothing more is read.
  }
  request.off("data", onData);
  return request.complete;
}

import { HeaderList } from "@fngate/kernel";
import type { Reply } from "@fngate/plugin-kit";
import { reasonOf, titleOf } from "./status-title.ts";

/** An answer of the gateway's own, ready to be filtered and sent. */
export interface RenderedReply {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: string | Uint8Array;
}

/** Title-cased field names, as all own answers have them. */
const CONTENT_TYPE = "Content-Type";

/** The charset comes with sending. */
const TEXT = "text/plain";

/** Renders what a plugin answered; text goes out as `text/plain` unless it says otherwise (APISIX: default type). */
export function renderReply(reply: Reply): RenderedReply {
  const { status, body } = reply;
  const headers = new HeaderList(reply.headers ?? []);
  if (body === undefined) return status >= 400 ? renderErrorInto(status, headers) : { status, headers, body: "" };
  const isBinaryOrText = typeof body === "string" || body instanceof Uint8Array;
  if (!headers.has("content-type")) headers.append(CONTENT_TYPE, TEXT);
  return { status, headers, body: isBinaryOrText ? body : `${JSON.stringify(body)}\n` };
}

/**
 * The gateway's error answer: `{"error_msg":"<status> <title>"}`, where APISIX sends nginx's HTML page. `reason`
 * says which of the failures behind one status it was. Codes without a title have an empty body.
 */
export function renderError(status: number, reason?: string): RenderedReply {
  return renderErrorInto(status, new HeaderList(), reason);
}

/** No route: APISIX's own text. */
export function renderNotFound(): RenderedReply {
  return {
    status: 404,
    headers: new HeaderList([CONTENT_TYPE, TEXT]),
    body: '{"error_msg":"404 Route Not Found"}\n',
  };
}

function renderErrorInto(status: number, headers: HeaderList, reason?: string): RenderedReply {
  const title = titleOf(status);
  if (title === undefined) return { status, headers, body: "" };
  if (!headers.has("content-type")) headers.append(CONTENT_TYPE, "application/json");
  return { status, headers, body: errorBody(status, title, reason) };
}

function errorBody(status: number, title: string, reason?: string): string {
  const content = { error_msg: `${status} ${title}`, ...(reason === undefined ? {} : { reason }) };
  return `${JSON.stringify(content)}\n`;
}

/** A whole error answer for a raw socket, before there is a request to answer to; `message` in place of the title. */
export function renderRawError(status: number, serverHeader: string, message?: string): string {
  const body = message === undefined ? renderError(status).body : errorBody(status, message);
  const fields = [
    `HTTP/1.1 ${status} ${reasonOf(status)}`,
    `Date: ${new Date().toUTCString()}`,
    `Server: ${serverHeader}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  return `${fields.join("\r\n")}\r\n\r\n${body.toString()}`;
}

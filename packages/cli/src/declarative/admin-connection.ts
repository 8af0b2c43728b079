import type { Agent as HttpAgent, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { GatewayError, http, messageOf } from "@fngate/kernel";

/** How an {@link AdminConnection} reaches an Admin API. */
export interface AdminAccess {
  /** `http://` or `https://` with host and port; a path is ignored. */
  readonly url: URL;
  readonly key: string;
  /** PEM certificates that the server's must come from; absent: those of Node. */
  readonly ca?: string | undefined;
  /** PEM certificate and key that this client shows. */
  readonly cert?: string | undefined;
  readonly certKey?: string | undefined;
}

/** What one request carries beside method and path. */
export interface AdminCall {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer whatever its status. */
export interface AdminAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  /** The decoded body; the text itself where it is no JSON. */
  readonly body: unknown;
}

/** How long one request may take without a byte, in milliseconds: a list of everything is made before it is sent. */
const TIMEOUT_MS = 60_000;

/** Connections at once; more would only queue in the control plane. */
export const MAX_CONNECTIONS = 8;

/** A client of one Admin API; connections are kept until it is closed. */
export class AdminConnection {
  readonly #access: AdminAccess;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(access: AdminAccess) {
    this.#access = access;
    const { url, ca, cert, certKey } = access;
    const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
    this.#agent =
      url.protocol === "https:"
        ? new HttpsAgent({ ...options, ...(ca && { ca }), ...(cert && { cert }), ...(certKey && { key: certKey }) })
        : new http.Agent(options);
  }

  /** Where it leads, for messages. */
  get origin(): string {
    return this.#access.url.origin;
  }

  /** Sends a request below `/apisix/admin`. Raises `ADMIN_UNREACHABLE` when there is no answer. */
  async send(method: string, path: string, { body, headers = {} }: AdminCall = {}): Promise<AdminAnswer> {
    const { url, key } = this.#access;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (url.protocol === "https:" ? requestHttps : http.request)(new URL(`/apisix/admin${path}`, url), {
      method,
      agent: this.#agent,
      timeout: TIMEOUT_MS,
      headers: {
        "X-API-KEY": key,
        ...(content !== undefined && {
          "Content-Type": "application/json",
          "Content-Length": Buffer.byteLength(content),
        }),
        ...headers,
      },
    });
    request.once("response", resolve).once("error", reject);
    request.once("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
    request.end(content);
    try {
      const response = await promise;
      const answer = await text(response);
      return { status: response.statusCode ?? 0, etag: response.headers.etag, body: parseBody(answer) };
    } catch (cause) {
      throw new GatewayError("ADMIN_UNREACHABLE", `${method} ${this.origin}${path}: ${messageOf(cause)}`, { cause });
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** What an answer says is wrong, in the server's words. */
export function reasonOf({ status, body }: AdminAnswer): string {
  const { error_msg, message, description } = Object(body);
  const said = error_msg ?? message ?? (typeof body === "string" && body !== "" ? body.trim() : undefined);
  const more = description === undefined ? "" : ` (${description})`;
  return said === undefined ? `status ${status}` : `${String(said)}${more}`;
}

function parseBody(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

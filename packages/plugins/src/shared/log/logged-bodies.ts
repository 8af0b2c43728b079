import { brotliDecompressSync, constants, gunzipSync, inflateSync } from "node:zlib";
import type { LogContext, RequestContext, ResponseContext } from "@fngate/plugin-kit";
import { type CompiledExpression, compileExpression } from "@fngate/router/expr";
import type { LogConfig } from "./log-fields.ts";

/** Bodies as an entry has them; absent where they are not to be logged, or there is none. */
export interface LoggedBodies {
  readonly request: string | undefined;
  readonly response: string | undefined;
}

/** Most that an encoded body may become, bytes: it is decoded while other requests wait. */
const MAX_DECODED_BYTES = 4 * 1024 * 1024;

// What was cut off at the bound is decoded as far as it goes.
const CUT_OFF = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_DECODED_BYTES };

const DECODERS: ReadonlyMap<string, (body: Uint8Array) => Buffer> = new Map([
  ["gzip", (body) => gunzipSync(body, CUT_OFF)],
  ["deflate", (body) => inflateSync(body, CUT_OFF)],
  [
    "br",
    (body) =>
      brotliDecompressSync(body, {
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
        maxOutputLength: MAX_DECODED_BYTES,
      }),
  ],
]);

/** Which bodies of a request are logged, by one configuration. */
export class BodyLog {
  readonly #config: LogConfig;
  readonly #requestCondition: CompiledExpression | undefined;
  readonly #responseCondition: CompiledExpression | undefined;
  /** Requests whose answer met the condition, which is judged when its head is there. */
  readonly #chosen = new WeakSet<RequestContext>();

  constructor(config: LogConfig) {
    this.#config = config;
    this.#requestCondition = compiled(config.include_req_body_expr);
    this.#responseCondition = compiled(config.include_resp_body_expr);
  }

  /** In a request phase: has the request's body kept, whether or not it meets the condition, if `isForced`. */
  keepRequest(context: RequestContext, isForced: boolean): void {
    const isWanted = isForced || (this.#config.include_req_body && holds(this.#requestCondition, context));
    if (isWanted) context.capture("request", this.#config.max_req_body_bytes);
  }

  /** When the answer's head is there: has its body kept. */
  keepResponse(context: ResponseContext): void {
    if (!this.#config.include_resp_body || !holds(this.#responseCondition, context)) return;
    this.#chosen.add(context);
    context.capture("response", this.#config.max_resp_body_bytes);
  }

  /** In the log phase: what is logged by default. */
  bodiesOf(context: LogContext): LoggedBodies {
    const isRequestWanted = this.#config.include_req_body && holds(this.#requestCondition, context);
    return { request: isRequestWanted ? this.request(context) : undefined, response: this.response(context) };
  }

  /** The request's body as far as it was kept; absent when it had none. */
  request(context: LogContext): string | undefined {
    const body = context.captured("request");
    if (body === undefined || body.length === 0) return undefined;
    return textOf(body.subarray(0, this.#config.max_req_body_bytes));
  }

  /** The answer's body, decoded; absent when it is not to be logged. */
  response(context: LogContext): string | undefined {
    if (!this.#chosen.has(context)) return undefined;
    const body = context.captured("response")?.subarray(0, this.#config.max_resp_body_bytes) ?? new Uint8Array();
    return textOf(decoded(body, context.response.headers.get("content-encoding")));
  }
}

function compiled(expression: readonly unknown[] | undefined): CompiledExpression | undefined {
  return expression === undefined ? undefined : compileExpression(expression);
}

function holds(condition: CompiledExpression | undefined, { variables }: RequestContext): boolean {
  return condition === undefined || condition.evaluate(variables);
}

function decoded(body: Uint8Array, coding: string | undefined): Uint8Array {
  const decode = DECODERS.get(coding?.trim().toLowerCase() ?? "");
  if (decode === undefined) return body;
  try {
    return decode(body);
  } catch {
    // It is none of what it says, or becomes too large: logged as it came.
    return body;
  }
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8");
}

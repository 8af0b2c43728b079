import { HeaderList } from "@fngate/kernel";
import type { ResponseSource } from "@fngate/plugin-kit";
import type { ResponseSink } from "@fngate/proxy";
import type { ErrorResponse } from "../compile/plugin-meta.ts";
import { addCharset, answerFields, hasBody } from "./answer-headers.ts";
import type { Downstream } from "./downstream.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { reasonOf } from "./status-title.ts";

/** How an answer from elsewhere becomes the client's. */
export interface AnswerShape {
  readonly source: Extract<ResponseSource, "upstream" | "function">;
  readonly serverHeader: string;
  /** Replaces the body of error answers (`_meta.error_response`). */
  readonly errorResponse: ErrorResponse | undefined;
  /** Value of `X-APISIX-Upstream-Status` for a final status; nothing when it is not sent. */
  readonly upstreamStatusField: (status: number) => string | undefined;
  /** The answer has arrived whole; runs before its end reaches the client, and so before the request is logged. */
  readonly onEnd: () => void;
  /** The answer cannot be passed on: something in it, or a plugin, failed. */
  readonly onFailure: (error: unknown) => void;
}

/** Hands an answer of an upstream or function to the client while it arrives. */
export class AnswerSink implements ResponseSink {
  readonly #context: ExchangeContext;
  readonly #downstream: Downstream;
  readonly #shape: AnswerShape;
  /** Set when what arrives is read and dropped. */
  #isMuted = false;
  #replacement: string | undefined;

  constructor(context: ExchangeContext, downstream: Downstream, shape: AnswerShape) {
    this.#context = context;
    this.#downstream = downstream;
    this.#shape = shape;
  }

  head(status: number, reason: string, headers: readonly string[]): void {
    const { source, serverHeader, errorResponse } = this.#shape;
    const { response } = this.#context;
    const isUpstream = source === "upstream";
    response.status = status;
    response.source = source;
    response.headers = new HeaderList(answerFields(headers, serverHeader, isUpstream));
    this.#shapeFields(status);
    if (errorResponse !== undefined && status >= 400) this.#replaceBody(errorResponse);
    try {
      // A filter may have changed the status, whose reason is then the gateway's.
      this.#downstream.sendHead((sent) => (isUpstream && sent === status ? reason : reasonOf(sent)));
    } catch (error) {
      this.#isMuted = true;
      this.#shape.onFailure(error);
    }
  }

  write(chunk: Uint8Array): boolean {
    return this.#isMuted || this.#replacement !== undefined || this.#downstream.write(chunk);
  }

  onDrain(resume: () => void): void {
    this.#downstream.onDrain(resume);
  }

  end(): void {
    this.#shape.onEnd();
    if (!this.#isMuted) this.#downstream.end(this.#replacement);
  }

  #shapeFields(status: number): void {
    const { headers } = this.#context.response;
    const field = this.#shape.upstreamStatusField(status);
    if (field !== undefined) headers.set("X-APISIX-Upstream-Status", field);
    const lacksType = this.#shape.source === "function" && hasBody(status, this.#context.clientMethod);
    if (lacksType && !headers.has("content-type")) headers.append("Content-Type", "text/plain; charset=utf-8");
    addCharset(headers, status);
  }

  #replaceBody(errorResponse: ErrorResponse): void {
    const { headers } = this.#context.response;
    const isText = typeof errorResponse === "string";
    this.#replacement = isText ? errorResponse : `${JSON.stringify(errorResponse)}\n`;
    headers.delete("content-encoding");
    headers.set("Content-Length", String(Buffer.byteLength(this.#replacement)));
    if (!isText && !headers.has("content-type")) headers.set("Content-Type", "text/plain; charset=utf-8");
  }
}

import { HeaderList } from "@fngate/kernel";
import type { ResponseSource } from "@fngate/plugin-kit";
import type { ResponseSink } from "@fngate/proxy";
import type { ErrorResponse } from "../compile/plugin-meta.ts";
import { addCharset, answerFields, hasBody } from "./answer-headers.ts";
import type { Downstream } from "./downstream.ts";
import type { ExchangeContext } from "./exchange-context.ts";

/** Whoever fetches an answer from elsewhere, and how that becomes the client's. */
export interface AnswerOwner {
  readonly source: Extract<ResponseSource, "upstream" | "function">;
  readonly serverHeader: string;
  /** What text types get that name no charset; absent: nothing. */
  readonly charset: string | undefined;
  /** Replaces the body of error answers (`_meta.error_response`). */
  readonly errorResponse: ErrorResponse | undefined;
  /** Value of `X-APISIX-Upstream-Status` for a final status; nothing when it is not sent. */
  upstreamStatusField(status: number): string | undefined;
  /** The answer has arrived whole; runs before its end reaches the client, and so before the request is logged. */
  onAnswerEnd(): void;
  /** The answer cannot be passed on: something in it, or a plugin, failed. */
  onAnswerFailure(error: unknown): void;
}

/** Hands an answer of an upstream or function to the client while it arrives. */
export class AnswerSink implements ResponseSink {
  readonly #context: ExchangeContext;
  readonly #downstream: Downstream;
  readonly #owner: AnswerOwner;
  /** Set when what arrives is read and dropped. */
  #isMuted = false;
  #isEnded = false;
  #declaredBytes = -1;
  #replacement: string | undefined;

  constructor(context: ExchangeContext, downstream: Downstream, owner: AnswerOwner) {
    this.#context = context;
    this.#downstream = downstream;
    this.#owner = owner;
  }

  head(status: number, reason: string, headers: readonly string[]): void {
    const { source, serverHeader, charset, errorResponse } = this.#owner;
    const { response } = this.#context;
    const isUpstream = source === "upstream";
    if (isUpstream) this.#context.trace?.onHead(headers);
    response.status = status;
    response.source = source;
    response.headers = new HeaderList(answerFields(headers, { status, serverHeader, charset, isUpstream }));
    this.#shapeFields(status);
    this.#declaredBytes = Number(response.headers.get("content-length") ?? -1);
    if (errorResponse !== undefined && status >= 400) this.#replaceBody(errorResponse);
    try {
      this.#downstream.sendHead(isUpstream ? reason : undefined);
    } catch (error) {
      this.#isMuted = true;
      this.#owner.onAnswerFailure(error);
    }
  }

  write(chunk: Uint8Array): boolean {
    this.#context.trace?.onBody(chunk.length);
    if (this.#isMuted || this.#replacement !== undefined) return true;
    // A body that came in one piece goes on together with its end, which is one write less.
    if (chunk.length !== this.#declaredBytes) return this.#downstream.write(chunk);
    this.#finish(chunk);
    return true;
  }

  onDrain(resume: () => void): void {
    this.#downstream.onDrain(resume);
  }

  trailers(fields: readonly string[]): void {
    this.#context.trace?.onTrailers(fields);
    if (!this.#isMuted && !this.#isEnded) this.#downstream.trailers(fields);
  }

  end(): void {
    if (!this.#isEnded) this.#finish(this.#replacement);
  }

  #finish(rest: Uint8Array | string | undefined): void {
    this.#isEnded = true;
    this.#owner.onAnswerEnd();
    if (!this.#isMuted) this.#downstream.end(rest);
  }

  #shapeFields(status: number): void {
    const { headers } = this.#context.response;
    const field = this.#owner.upstreamStatusField(status);
    if (field !== undefined) headers.set("X-APISIX-Upstream-Status", field);
    const lacksType = this.#owner.source === "function" && hasBody(status, this.#context.clientMethod);
    if (lacksType) this.#addType();
  }

  #replaceBody(errorResponse: ErrorResponse): void {
    const { headers } = this.#context.response;
    const isText = typeof errorResponse === "string";
    this.#replacement = isText ? errorResponse : `${JSON.stringify(errorResponse)}\n`;
    headers.delete("content-encoding");
    headers.set("Content-Length", String(Buffer.byteLength(this.#replacement)));
    if (!isText) this.#addType();
  }

  /** nginx's default type, where there is none. */
  #addType(): void {
    const { headers, status } = this.#context.response;
    if (headers.has("content-type")) return;
    headers.append("Content-Type", "text/plain");
    addCharset(headers, status, this.#owner.charset);
  }
}

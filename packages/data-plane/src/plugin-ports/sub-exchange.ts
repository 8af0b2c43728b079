import { Readable } from "node:stream";
import { GatewayError } from "@fngate/kernel";
import type { RequestTraffic, SubAnswer, SubRequest } from "@fngate/plugin-kit";
import type { ClientExchange } from "../http/client-exchange.ts";

/** What a sub-request takes over from the request that it belongs to. */
export interface SubRequestOrigin {
  readonly scheme: "http" | "https";
  readonly peerAddress: string;
  readonly localPort: number;
  /** Of the sub-request; the client's request has 0. */
  readonly depth: number;
}

/** Largest answer to a sub-request, bytes: it is kept in memory until the plugin is done with it. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

const NO_TRAFFIC: RequestTraffic = { receivedBytes: 0, sentBytes: 0 };

/** A request that a plugin sends through the gateway: it looks like a client's and ends in memory. */
export class SubExchange implements ClientExchange {
  readonly method: string;
  readonly target: string;
  readonly httpVersion = "1.1";
  readonly scheme: "http" | "https";
  readonly rawHeaders: readonly string[];
  readonly peerAddress: string;
  readonly localPort: number;
  readonly hasBody: boolean;
  readonly declaredBytes: number;
  readonly upgrade = undefined;
  readonly endStatus = undefined;
  readonly depth: number;
  /** Rejects with `HTTP_CALL_FAILED` when the answer is cut off. */
  readonly answer: Promise<SubAnswer>;
  readonly #body: Buffer;
  readonly #settle: { resolve(answer: SubAnswer): void; reject(error: Error): void };
  readonly #chunks: Buffer[] = [];
  #head: Omit<SubAnswer, "body"> = { status: 0, reason: "", headers: [] };
  #bytes = 0;
  #isOpen = true;
  #onClose: ((isComplete: boolean) => void) | undefined;

  constructor(request: SubRequest, origin: SubRequestOrigin) {
    this.method = request.method;
    this.target = request.target;
    this.#body = Buffer.from(request.body ?? "");
    this.scheme = origin.scheme;
    this.peerAddress = origin.peerAddress;
    this.localPort = origin.localPort;
    this.depth = origin.depth;
    this.declaredBytes = this.#body.length;
    this.hasBody = this.#body.length > 0;
    this.rawHeaders = withLength(request.headers, this.#body.length);
    const { promise, resolve, reject } = Promise.withResolvers<SubAnswer>();
    this.answer = promise;
    this.#settle = { resolve, reject };
    request.signal?.addEventListener("abort", () => this.cut(), { once: true });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Nothing: it goes over no connection. */
  takeTraffic(): RequestTraffic {
    return NO_TRAFFIC;
  }

  openBody(): Readable {
    return Readable.from([this.#body]);
  }

  writeHead(status: number, reason: string, headers: readonly string[]): void {
    this.#head = { status, reason, headers };
  }

  write(chunk: Uint8Array | string): boolean {
    const bytes = Buffer.from(chunk);
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_ANSWER_BYTES) this.cut();
    else this.#chunks.push(bytes);
    return true;
  }

  onDrain(resume: () => void): void {
    queueMicrotask(resume);
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.write(chunk);
    const hasNoBody = this.method === "HEAD" || this.#head.status === 204 || this.#head.status === 304;
    this.#close(() => {
      this.#settle.resolve({ ...this.#head, body: hasNoBody ? new Uint8Array() : Buffer.concat(this.#chunks) });
      return true;
    });
  }

  cut(): void {
    this.#close(() => {
      this.#settle.reject(new GatewayError("HTTP_CALL_FAILED", `sub-request ${this.target} got no whole answer`));
      return false;
    });
  }

  onClose(listener: (isComplete: boolean) => void): void {
    this.#onClose = listener;
  }

  #close(settle: () => boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const isComplete = settle();
    // As with a socket: whoever ended the answer is done before its end is told.
    queueMicrotask(() => this.#onClose?.(isComplete));
  }
}

/** The fields with the true length in place of what the plugin's caller claimed. */
function withLength(headers: readonly string[], bytes: number): readonly string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const lower = name.toLowerCase();
    if (lower !== "content-length" && lower !== "transfer-encoding") kept.push(name, headers[index + 1] ?? "");
  }
  if (bytes > 0) kept.push("Content-Length", String(bytes));
  return kept;
}

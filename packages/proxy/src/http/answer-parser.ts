import { type AnswerHead, parseAnswerHead } from "./answer-head.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import { BadResponseError } from "./failure.ts";

/** Receives one answer as it is read. */
export interface AnswerHandler {
  /** The final head; interim ones are skipped. */
  onHead(head: AnswerHead): void;
  /** `view` is valid during the call only. */
  onBody(view: Buffer): void;
  /** `isReusable`: another request may follow on the connection. */
  onAnswerEnd(isReusable: boolean): void;
}

/** Longest head, bytes, interim ones each for itself; Node's own default. */
const LONGEST_HEAD_BYTES = 16 * 1_024;

/** An upstream that sends interim answers for ever would hold its exchange for ever. */
const MOST_INTERIM_HEADS = 100;

const START = "HTTP/1.";
const BLANK_LINE = "\r\n\r\n";

const IDLE = 0;
const HEAD = 1;
const LENGTH = 2;
const CHUNKED = 3;
const UNTIL_CLOSE = 4;
type State = typeof IDLE | typeof HEAD | typeof LENGTH | typeof CHUNKED | typeof UNTIL_CLOSE;

/**
 * Reads the answers of one connection, one at a time, from pieces cut anywhere. What follows an answer is never taken
 * for another: it makes the connection unusable. Raises `BadResponseError`, after which only
 * {@link AnswerParser.stop} may follow.
 */
export class AnswerParser {
  #state: State = IDLE;
  #handler: AnswerHandler | undefined;
  #isHeadRequest = false;
  #keepsAlive = false;
  #leftBytes = 0;
  #interimHeads = 0;
  /** A head that came in part, and its last three characters: the blank line may be cut anywhere. */
  #partial = "";
  #tail = "";
  readonly #chunks = new ChunkedDecoder();

  /** Expects an answer. */
  begin(handler: AnswerHandler, isHeadRequest: boolean): void {
    this.#state = HEAD;
    this.#handler = handler;
    this.#isHeadRequest = isHeadRequest;
    this.#interimHeads = 0;
    this.#partial = "";
    this.#tail = "";
  }

  /** Drops everything from here on; also from within a call of the handler. */
  stop(): void {
    this.#state = IDLE;
    this.#handler = undefined;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === IDLE) return;
      if (this.#state === HEAD) at = this.#readHead(bytes, at);
      else if (this.#state === CHUNKED) at = this.#readChunks(bytes, at);
      else at = this.#readPlain(bytes, at);
    }
  }

  /** The upstream sends no more; tells whether that completes the answer. */
  finish(): boolean {
    if (this.#state !== UNTIL_CLOSE) return false;
    this.#end(false);
    return true;
  }

  #readHead(bytes: Buffer, from: number): number {
    const text = bytes.toString("latin1", from, Math.min(bytes.length, from + LONGEST_HEAD_BYTES));
    const end = this.#partial === "" ? text.indexOf(BLANK_LINE) : (this.#tail + text).indexOf(BLANK_LINE);
    if (end < 0) {
      this.#keepPartial(text);
      return from + text.length;
    }
    const usedBytes = end + BLANK_LINE.length - this.#tail.length;
    const next = from + usedBytes;
    if (this.#partial === "") this.#takeHead(parseAnswerHead(text, end), bytes.length - next);
    else this.#takeWhole(this.#partial + text.slice(0, usedBytes), bytes.length - next);
    return next;
  }

  #takeWhole(text: string, restBytes: number): void {
    this.#partial = "";
    this.#tail = "";
    if (text.length > LONGEST_HEAD_BYTES) throw tooLong();
    this.#takeHead(parseAnswerHead(text, text.length - BLANK_LINE.length), restBytes);
  }

  /** What can be no head is refused before it is complete: it may never be. */
  #keepPartial(text: string): void {
    const known = this.#tail.length;
    const joined = this.#tail + text;
    for (let at = joined.indexOf("\n", known); at >= 0; at = joined.indexOf("\n", at + 1)) {
      if (joined.charCodeAt(at - 1) !== 0x0d) throw new BadResponseError("the upstream's answer has a bare line feed");
    }
    const wasShort = this.#partial.length < START.length;
    this.#partial += text;
    this.#tail = joined.slice(-3);
    if (wasShort && !START.startsWith(this.#partial.slice(0, START.length)))
      throw new BadResponseError("the upstream's answer is no HTTP/1");
    if (this.#partial.length >= LONGEST_HEAD_BYTES) throw tooLong();
  }

  #takeHead(head: AnswerHead, restBytes: number): void {
    const { status } = head;
    if (status < 200) {
      this.#skipInterim(status);
      return;
    }
    const handler = this.#handler;
    const hasBody = !this.#isHeadRequest && status !== 204 && status !== 304;
    this.#keepsAlive = head.keepsAlive;
    this.#state = hasBody ? this.#frame(head) : LENGTH;
    if (!hasBody) this.#leftBytes = 0;
    handler?.onHead(head);
    if (this.#handler === handler && this.#state === LENGTH && this.#leftBytes === 0) this.#end(restBytes === 0);
  }

  #skipInterim(status: number): void {
    if (status === 101) throw new BadResponseError("upstream switched protocols without being asked");
    this.#interimHeads += 1;
    if (this.#interimHeads > MOST_INTERIM_HEADS) throw new BadResponseError("the upstream sends interim answers only");
  }

  #frame(head: AnswerHead): State {
    if (head.isChunked) {
      this.#chunks.reset();
      return CHUNKED;
    }
    this.#leftBytes = head.lengthBytes;
    return head.lengthBytes < 0 ? UNTIL_CLOSE : LENGTH;
  }

  #readPlain(bytes: Buffer, from: number): number {
    const to = this.#state === UNTIL_CLOSE ? bytes.length : Math.min(bytes.length, from + this.#leftBytes);
    const handler = this.#handler;
    if (this.#state === LENGTH) this.#leftBytes -= to - from;
    handler?.onBody(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
    if (this.#handler === handler && this.#state === LENGTH && this.#leftBytes === 0) this.#end(to === bytes.length);
    return to;
  }

  #readChunks(bytes: Buffer, from: number): number {
    const handler = this.#handler;
    const start = this.#chunks.read(bytes, from);
    const { next } = this.#chunks;
    if (start >= 0) handler?.onBody(bytes.subarray(start, next));
    else if (this.#chunks.isDone) this.#end(next === bytes.length);
    return next;
  }

  #end(isNothingLeft: boolean): void {
    const handler = this.#handler;
    this.stop();
    handler?.onAnswerEnd(this.#keepsAlive && isNothingLeft);
  }
}

function tooLong(): BadResponseError {
  return new BadResponseError("the head of the upstream's answer is too long");
}

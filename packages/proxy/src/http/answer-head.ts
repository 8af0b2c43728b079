import { isPlainOption, withoutNamed } from "../headers/response-headers.ts";
import { BadResponseError } from "./failure.ts";
import { IS_TEXT, IS_TOKEN } from "./wire-text.ts";

/** The head of one answer, its framing decided. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Flat `[name, value, …]` in wire order, hop-by-hop fields gone. */
  readonly headers: readonly string[];
  /** `Content-Length` in bytes; -1 when there is none. */
  readonly lengthBytes: number;
  readonly isChunked: boolean;
  /** The connection may carry another request, once this answer is complete. */
  readonly keepsAlive: boolean;
  /** How long the upstream keeps the connection (`Keep-Alive: timeout`), seconds; -1 when it does not say. */
  readonly keepAliveSeconds: number;
}

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const ZERO = 0x30;

/** More digits than any length that a number holds exactly. */
const MOST_LENGTH_DIGITS = 15;

/** Lengths of the names that mean something to the transport; most fields are told apart by length alone. */
const UPGRADE = 7;
const CONNECTION_OR_KEEP_ALIVE = 10;
const CONTENT_LENGTH = 14;
const PROXY_CONNECTION = 16;
const TRANSFER_ENCODING = 17;

/**
 * Reads a head, strictly: whatever two readers could understand differently is refused (RFC 9112 sections 4 to 6), so
 * folded and bare lines, blanks before a colon, controls, several or odd lengths, a length beside a coding, and any
 * coding but `chunked`. Raises `BadResponseError`.
 *
 * @param text starts with the status line; @param end index of the blank line's CR LF, less two: of the last field's
 */
export function parseAnswerHead(text: string, end: number): AnswerHead {
  return new HeadReader(text, end + 2).read();
}

class HeadReader {
  readonly #text: string;
  /** Where the blank line starts. */
  readonly #end: number;
  #at = 0;
  readonly #headers: string[] = [];
  #lengthBytes = -1;
  #isChunked = false;
  #closes = false;
  #asksKeepAlive = false;
  #named: string | undefined;
  #keepAliveSeconds = -1;

  constructor(text: string, end: number) {
    this.#text = text;
    this.#end = end;
  }

  read(): AnswerHead {
    const text = this.#text;
    const isHttp10 = readMinorVersion(text) === 0;
    const status = readStatus(text);
    const reason = this.#readReason();
    while (this.#at < this.#end) this.#readField();
    if (this.#isChunked && (this.#lengthBytes >= 0 || isHttp10)) throw bad("both a length and a transfer coding");
    const headers = this.#named === undefined ? this.#headers : withoutNamed(this.#headers, this.#named);
    return {
      status,
      reason,
      headers,
      lengthBytes: this.#lengthBytes,
      isChunked: this.#isChunked,
      keepsAlive: !this.#closes && (!isHttp10 || this.#asksKeepAlive),
      keepAliveSeconds: this.#keepAliveSeconds,
    };
  }

  #readReason(): string {
    const from = this.#text.charCodeAt(12) === SPACE ? 13 : 12;
    const to = this.#endOfLine(from);
    this.#at = to + 2;
    return this.#text.slice(from, to);
  }

  #readField(): void {
    const text = this.#text;
    const from = this.#at;
    let colon = from;
    while (IS_TOKEN[text.charCodeAt(colon)] === 1) colon += 1;
    if (colon === from || text.charCodeAt(colon) !== COLON) throw bad("a field without a proper name");
    let first = colon + 1;
    while (isBlank(text.charCodeAt(first))) first += 1;
    const to = this.#endOfLine(first);
    let last = to;
    while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1;
    this.#at = to + 2;
    this.#take(text.slice(from, colon), text.slice(first, last));
  }

  /** Index of the CR LF that ends the text starting at `from`. */
  #endOfLine(from: number): number {
    const text = this.#text;
    let at = from;
    while (IS_TEXT[text.charCodeAt(at)] === 1) at += 1;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) throw bad("a control character in a line");
    return at;
  }

  #take(name: string, value: string): void {
    switch (name.length) {
      case UPGRADE:
      case CONNECTION_OR_KEEP_ALIVE:
      case CONTENT_LENGTH:
      case PROXY_CONNECTION:
      case TRANSFER_ENCODING:
        if (this.#takeSpecial(name.toLowerCase(), value)) return;
        break;
      default:
    }
    this.#headers.push(name, value);
  }

  /** Tells whether the field ends here instead of going on to the client. */
  #takeSpecial(lower: string, value: string): boolean {
    switch (lower) {
      case "content-length":
        if (this.#lengthBytes >= 0) throw bad("several lengths");
        this.#lengthBytes = parseLength(value);
        return false;
      case "transfer-encoding":
        if (this.#isChunked || value.toLowerCase() !== "chunked") throw bad("an unknown transfer coding");
        this.#isChunked = true;
        return true;
      case "connection":
        this.#takeOptions(value);
        return true;
      case "keep-alive":
        this.#keepAliveSeconds = Number(/(?:^|[\s,])timeout=(\d{1,9})/i.exec(value)?.[1] ?? -1);
        return true;
      case "upgrade":
      case "proxy-connection":
        return true;
      default:
        return false;
    }
  }

  #takeOptions(value: string): void {
    if (isPlainOption(value)) {
      if (value.length === 5) this.#closes = true;
      else this.#asksKeepAlive = true;
      return;
    }
    this.#named = this.#named === undefined ? value : `${this.#named},${value}`;
    const options = value.toLowerCase().split(",");
    for (const option of options) {
      if (option.trim() === "close") this.#closes = true;
      if (option.trim() === "keep-alive") this.#asksKeepAlive = true;
    }
  }
}

function readMinorVersion(text: string): number {
  const minor = text.charCodeAt(7) - ZERO;
  if (!text.startsWith("HTTP/1.") || (minor !== 0 && minor !== 1)) throw bad("no HTTP/1 status line");
  return minor;
}

/** Three digits between blanks, or before the end of the line. */
function readStatus(text: string): number {
  const after = text.charCodeAt(12);
  if (text.charCodeAt(8) !== SPACE || (after !== SPACE && after !== CR)) throw bad("no proper status line");
  let status = 0;
  for (let index = 9; index < 12; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) throw bad("a status that is no number");
    status = status * 10 + digit;
  }
  if (status < 100) throw bad(`the status ${status}`);
  return status;
}

function parseLength(value: string): number {
  let length = 0;
  for (let index = 0; index < value.length; index += 1) {
    const digit = value.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) throw bad("a length that is no number");
    length = length * 10 + digit;
  }
  if (value === "" || value.length > MOST_LENGTH_DIGITS) throw bad("a length that is no number");
  return length;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function bad(what: string): BadResponseError {
  return new BadResponseError(`the upstream's answer has ${what}`);
}

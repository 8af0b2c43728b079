import { EXTENSION_BROKEN, EXTENSION_END, EXTENSION_START, nextInExtension } from "./chunk-extension.ts";
import { BadResponseError } from "./failure.ts";
import { IS_TEXT, IS_TOKEN } from "./wire-text.ts";

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER_START = 6;
const TRAILER_NAME = 7;
const TRAILER_VALUE = 8;
const TRAILER_LF = 9;
const END_LF = 10;
const DONE = 11;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const COLON = 0x3a;

/** Size and extensions of one chunk; extensions mean nothing to a proxy and are dropped. */
const LONGEST_SIZE_LINE_BYTES = 1_024;

/** Thirteen hexadecimal digits still are an exact number. */
const MOST_SIZE_DIGITS = 13;

/** All trailer fields of an answer together; they are read and dropped (RFC 9110 section 6.5.1). */
const LONGEST_TRAILER_BYTES = 16 * 1_024;

/** Value of a hexadecimal digit by its code; 255 for everything else. */
const HEX = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? 255 : digit;
});

/**
 * Takes the chunked coding off a body, strictly (RFC 9112 section 7.1): lines end with CR LF, sizes are bare digits,
 * every chunk is as long as it says. Raises `BadResponseError`.
 */
export class ChunkedDecoder {
  /** Where to go on reading. */
  next = 0;
  #state = SIZE;
  /** Of the chunk being read. */
  #leftBytes = 0;
  #digits = 0;
  #extension = EXTENSION_START;
  /** Of the size line, or of all trailer fields. */
  #lineBytes = 0;

  get isDone(): boolean {
    return this.#state === DONE;
  }

  reset(): void {
    this.#state = SIZE;
    this.#leftBytes = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
  }

  /**
   * Reads on until a piece of data is found; call it again from {@link ChunkedDecoder.next} while there are bytes left
   * and it is not done.
   *
   * @returns index of the first data byte, with `next` behind its last; -1 when `bytes` hold no further data
   */
  read(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#state !== DONE) {
      if (this.#state === DATA) {
        this.next = Math.min(at + this.#leftBytes, bytes.length);
        this.#leftBytes -= this.next - at;
        if (this.#leftBytes === 0) this.#state = DATA_CR;
        return at;
      }
      this.#step(bytes[at] as number);
      at += 1;
    }
    this.next = at;
    return -1;
  }

  #step(code: number): void {
    if (this.#state <= SIZE_LF) this.#readSizeLine(code);
    else if (this.#state <= DATA_LF) this.#readDataEnd(code);
    else this.#readTrailer(code);
  }

  #readSizeLine(code: number): void {
    this.#lineBytes += 1;
    if (this.#lineBytes > LONGEST_SIZE_LINE_BYTES) throw bad("a chunk with a line that is too long");
    if (this.#state === SIZE_LF) {
      expectByte(code, LF);
      this.#state = this.#leftBytes === 0 ? TRAILER_START : DATA;
      this.#digits = 0;
      this.#lineBytes = 0;
    } else if (this.#state === SIZE) this.#readSize(code);
    else this.#readExtension(code);
  }

  #readSize(code: number): void {
    const digit = HEX[code] as number;
    if (digit !== 255) {
      this.#digits += 1;
      if (this.#digits > MOST_SIZE_DIGITS) throw bad("a chunk that is too large");
      this.#leftBytes = this.#leftBytes * 16 + digit;
    } else if (this.#digits === 0) throw bad("a chunk without a size");
    else if (code === CR) this.#state = SIZE_LF;
    else if (code === SEMICOLON) {
      this.#state = EXTENSION;
      this.#extension = EXTENSION_START;
    } else throw bad("a chunk size that is no number");
  }

  #readExtension(code: number): void {
    this.#extension = nextInExtension(this.#extension, code);
    if (this.#extension === EXTENSION_BROKEN) throw bad("a chunk extension that is none");
    if (this.#extension === EXTENSION_END) this.#state = SIZE_LF;
  }

  #readDataEnd(code: number): void {
    expectByte(code, this.#state === DATA_CR ? CR : LF);
    this.#state = this.#state === DATA_CR ? DATA_LF : SIZE;
  }

  #readTrailer(code: number): void {
    this.#lineBytes += 1;
    if (this.#lineBytes > LONGEST_TRAILER_BYTES) throw bad("a trailer that is too long");
    switch (this.#state) {
      case TRAILER_START:
        this.#state = code === CR ? END_LF : TRAILER_NAME;
        if (code !== CR) expectNameByte(code);
        break;
      case TRAILER_NAME:
        if (code === COLON) this.#state = TRAILER_VALUE;
        else expectNameByte(code);
        break;
      case TRAILER_VALUE:
        if (code === CR) this.#state = TRAILER_LF;
        else if (IS_TEXT[code] !== 1) throw bad("a control character in a trailer field");
        break;
      default:
        expectByte(code, LF);
        this.#state = this.#state === END_LF ? DONE : TRAILER_START;
    }
  }
}

function expectNameByte(code: number): void {
  if (IS_TOKEN[code] !== 1) throw bad("a trailer field without a proper name");
}

function expectByte(code: number, expected: number): void {
  if (code !== expected) throw bad("a chunk that does not end where it should");
}

function bad(what: string): BadResponseError {
  return new BadResponseError(`the upstream's answer has ${what}`);
}

import { pipeline, type Readable, Transform } from "node:stream";
import type { CapturedBody } from "@fngate/plugin-kit";

/** The beginning of one body. */
class Beginning {
  maxBytes = 0;
  #bytes = 0;
  #chunks: Uint8Array[] = [];

  add(chunk: Uint8Array): void {
    const room = this.maxBytes - this.#bytes;
    if (room <= 0) return;
    const kept = chunk.length <= room ? chunk : chunk.subarray(0, room);
    this.#bytes += kept.length;
    this.#chunks.push(kept);
  }

  replace(bytes: Uint8Array): void {
    this.#bytes = 0;
    this.#chunks = [];
    this.add(bytes);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

/** Keeps the beginnings of a request's bodies for its log phase. */
export class BodyCapture {
  readonly #beginnings: Partial<Record<CapturedBody, Beginning>> = {};

  /** Wants the first bytes of a body; the largest wish counts. */
  want(body: CapturedBody, maxBytes: number): void {
    const beginning = this.#beginnings[body] ?? new Beginning();
    beginning.maxBytes = Math.max(beginning.maxBytes, maxBytes);
    this.#beginnings[body] = beginning;
  }

  /** Takes note of a piece that passed. */
  add(body: CapturedBody, chunk: Uint8Array | string): void {
    this.#beginnings[body]?.add(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  }

  /** Takes note of a whole body. */
  replace(body: CapturedBody, bytes: Uint8Array): void {
    this.#beginnings[body]?.replace(bytes);
  }

  /** What was kept; absent when nobody asked. */
  bytesOf(body: CapturedBody): Uint8Array | undefined {
    return this.#beginnings[body]?.bytes;
  }

  /** The same stream, watched. */
  tap(source: Readable, body: CapturedBody): Readable {
    // Takes note as a step of the stream's own: a listener would make it flow before anybody reads it.
    const watched = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.add(body, chunk);
        done(null, chunk);
      },
    });
    pipeline(source, watched, () => {});
    return watched;
  }
}

import { Transform, type TransformCallback } from "node:stream";
import type { HeaderList } from "@fngate/kernel";

/** Longest answer that is compressed in one call, bytes; other requests wait for that long. */
const MOST_BYTES = 16_384;

/** Tells by an answer's head, before it is marked as compressed, whether the answer is short and of known length. */
export function isShort(headers: HeaderList): boolean {
  const length = headers.get("content-length");
  return length !== undefined && Number(length) <= MOST_BYTES;
}

/**
 * Compresses a short body in one call when it is complete. A stream of its own costs several times that: its memory
 * alone is some hundred kilobytes with gzip, and megabytes with Brotli.
 */
export function compressWhole(compress: (body: Buffer) => Buffer): Transform {
  const chunks: Buffer[] = [];
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
    flush(done) {
      finish(() => compress(Buffer.concat(chunks)), done);
    },
  });
}

function finish(compress: () => Buffer, done: TransformCallback): void {
  let compressed: Buffer;
  try {
    compressed = compress();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  done(null, compressed);
}

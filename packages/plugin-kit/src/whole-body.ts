import { Transform } from "node:stream";

/** How {@link wholeBody} works. */
export interface WholeBodyOptions {
  /** Most bytes that are collected. */
  readonly maxBytes: number;
  /** What becomes of a larger body: it goes out as it came (default), or cut off at the bound. */
  readonly beyond?: "pass" | "truncate";
  /** The new body; a string goes out as UTF-8. */
  readonly change: (body: Buffer) => string | Uint8Array | Promise<string | Uint8Array>;
}

/** A body filter for plugins that need the whole body at once. */
export function wholeBody({ maxBytes, beyond = "pass", change }: WholeBodyOptions): Transform {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isPassing = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (isPassing) {
        done(null, chunk);
        return;
      }
      const room = maxBytes - bytes;
      bytes += chunk.length;
      if (chunk.length <= room) chunks.push(chunk);
      else if (beyond === "truncate") chunks.push(chunk.subarray(0, Math.max(0, room)));
      else {
        isPassing = true;
        for (const kept of chunks) this.push(kept);
        this.push(chunk);
        chunks = [];
      }
      done();
    },
    flush(done) {
      if (isPassing) {
        done();
        return;
      }
      // A change that throws breaks the answer off, as a failing stream does.
      new Promise<string | Uint8Array>((resolve) => {
        resolve(change(Buffer.concat(chunks)));
      }).then((body) => done(null, body), done);
    },
  });
}

import { finished, PassThrough, pipeline, type Readable } from "node:stream";
import type { RequestBody } from "@fngate/plugin-kit";
import type { BodyCapture } from "./body-capture.ts";
import type { ClientExchange } from "./client-exchange.ts";

/** The client's body: untouched until somebody reads it, whole once or as a stream. */
export class ClientBody implements RequestBody {
  isPresent: boolean;
  declaredBytes: number | undefined;
  readonly #client: ClientExchange;
  #whole: Promise<Uint8Array | undefined> | undefined;
  #bytes: Uint8Array | undefined;
  #limitBytes = 0;
  /** What to read instead of the client's stream, whose beginning was taken off it. */
  #replay: Readable | undefined;
  #capture: BodyCapture | undefined;

  constructor(client: ClientExchange) {
    this.#client = client;
    this.isPresent = client.hasBody;
    this.declaredBytes = client.declaredBytes;
  }

  /** The bytes, when {@link ClientBody.read} got them all. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  async read(maxBytes: number): Promise<Uint8Array | "too-large"> {
    if (!this.isPresent) return EMPTY;
    // Refused before `100 Continue` goes out, so that the client need not send it.
    if (this.declaredBytes !== undefined && this.declaredBytes > maxBytes) return "too-large";
    if (this.#whole === undefined) {
      this.#limitBytes = maxBytes;
      this.#whole = this.#collect(this.#source());
    }
    const bytes = await this.#whole;
    return bytes === undefined || bytes.length > maxBytes ? "too-large" : bytes;
  }

  /**
   * Reads the body ahead, for whoever decides by it where the request goes: afterwards {@link ClientBody.bytes} has
   * it. A body of more than `maxBytes` is left as it was, to be streamed or read. Rejects when the client is gone.
   */
  async peek(maxBytes: number): Promise<void> {
    if (!this.isPresent || this.#whole !== undefined || (this.declaredBytes ?? 0) > maxBytes) return;
    const peeked = await peekInto(this.#client.openBody(), maxBytes);
    if (Buffer.isBuffer(peeked)) this.#whole = Promise.resolve(this.#keep(peeked));
    else this.#replay = peeked;
  }

  /** The body as it arrives; only before anybody read it whole. */
  stream(): Readable {
    const source = this.#source();
    return this.#capture === undefined ? source : this.#capture.tap(source, "request");
  }

  replace(bytes: Uint8Array): void {
    this.isPresent = bytes.length > 0;
    this.declaredBytes = bytes.length;
    this.#whole = Promise.resolve(this.#keep(bytes));
  }

  /** Lets `capture` see what passes from now on, and what was read already. */
  tapInto(capture: BodyCapture): void {
    this.#capture = capture;
    if (this.#bytes !== undefined) capture.replace("request", this.#bytes);
  }

  #source(): Readable {
    return this.#replay ?? this.#client.openBody();
  }

  #keep(bytes: Uint8Array): Uint8Array {
    this.#bytes = bytes;
    this.#capture?.replace("request", bytes);
    return bytes;
  }

  #collect(source: Readable): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let receivedBytes = 0;
      const onData = (chunk: Buffer): void => {
        receivedBytes += chunk.length;
        if (receivedBytes <= this.#limitBytes) {
          chunks.push(chunk);
          return;
        }
        source.off("data", onData);
        source.pause();
        resolve(undefined);
      };
      source.on("data", onData);
      finished(source, { writable: false }, (error) => {
        if (error) reject(error);
        else resolve(this.#keep(Buffer.concat(chunks)));
      });
    });
  }
}

const EMPTY = new Uint8Array(0);

/** The whole of a stream; when it is more than that, a stream that has everything. */
function peekInto(source: Readable, maxBytes: number): Promise<Buffer | Readable> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let receivedBytes = 0;
    const onData = (chunk: Buffer): void => {
      receivedBytes += chunk.length;
      chunks.push(chunk);
      if (receivedBytes <= maxBytes) return;
      source.off("data", onData);
      stopWatching();
      resolve(replay(chunks, source));
    };
    source.on("data", onData);
    const stopWatching = finished(source, { writable: false }, (error) => {
      source.off("data", onData);
      if (error) reject(error);
      else resolve(Buffer.concat(chunks));
    });
  });
}

function replay(chunks: readonly Buffer[], rest: Readable): Readable {
  const whole = new PassThrough();
  for (const chunk of chunks) whole.write(chunk);
  // What fails ends the copy too, and whoever reads that learns of it.
  return pipeline(rest, whole, () => {});
}

import type { Readable } from "node:stream";
import { finished } from "node:stream";
import type { RequestBody } from "@fngate/plugin-kit";
import type { ClientExchange } from "./client-exchange.ts";

/** The client's body: untouched until somebody reads it, whole once or as a stream. */
export class ClientBody implements RequestBody {
  readonly isPresent: boolean;
  readonly declaredBytes: number | undefined;
  readonly #client: ClientExchange;
  #whole: Promise<Uint8Array | undefined> | undefined;
  #bytes: Uint8Array | undefined;
  #limitBytes = 0;
  #receivedBytes = 0;

  constructor(client: ClientExchange) {
    this.#client = client;
    this.isPresent = client.hasBody;
    this.declaredBytes = client.declaredBytes;
  }

  /** Bytes that arrived, as far as the body was read whole. */
  get receivedBytes(): number {
    return this.#receivedBytes;
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
      this.#whole = this.#collect(this.#client.openBody());
    }
    const bytes = await this.#whole;
    return bytes === undefined || bytes.length > maxBytes ? "too-large" : bytes;
  }

  /** The body as it arrives; only before anybody read it whole. */
  stream(): Readable {
    return this.#client.openBody();
  }

  #keep(bytes: Uint8Array): Uint8Array {
    this.#bytes = bytes;
    return bytes;
  }

  #collect(source: Readable): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const onData = (chunk: Buffer): void => {
        this.#receivedBytes += chunk.length;
        if (this.#receivedBytes <= this.#limitBytes) {
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

import type { ResponseSink } from "@fngate/proxy";

/** Takes an answer in whole, up to a bound; beyond it nothing is kept and the exchange is given up. */
export class CollectedAnswer implements ResponseSink {
  status = 0;
  isTooLarge = false;
  readonly #maxBytes: number;
  readonly #giveUp: () => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number, giveUp: () => void) {
    this.#maxBytes = maxBytes;
    this.#giveUp = giveUp;
  }

  /** What arrived. */
  get body(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  head(status: number): void {
    this.status = status;
  }

  write(chunk: Uint8Array): boolean {
    if (this.isTooLarge) return true;
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#maxBytes) {
      this.#chunks.push(chunk);
      return true;
    }
    this.isTooLarge = true;
    this.#chunks = [];
    this.#giveUp();
    return true;
  }

  /** It is never slow. */
  onDrain(): void {}

  end(): void {}
}

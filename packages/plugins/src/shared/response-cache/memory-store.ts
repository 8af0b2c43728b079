import type { CachedAnswer, CacheStore } from "./cache-store.ts";

/** What an entry weighs beside its texts and bytes. */
const OVERHEAD_BYTES = 512;

/** Answers in memory, up to a number of bytes. */
export class MemoryStore implements CacheStore {
  readonly #answers = new Map<string, CachedAnswer>();
  readonly #maxBytes: number;
  readonly #tellBytes: (bytes: number) => void;
  #bytes = 0;

  /** @param tellBytes is told how much is kept whenever that changes */
  constructor(maxBytes: number, tellBytes: (bytes: number) => void = () => {}) {
    this.#maxBytes = maxBytes;
    this.#tellBytes = tellBytes;
  }

  get(key: string): CachedAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  set(key: string, answer: CachedAnswer): void {
    this.#remove(key);
    const bytes = weightOf(key, answer);
    if (bytes <= this.#maxBytes) this.#add(key, answer, bytes);
    this.#tellBytes(this.#bytes);
  }

  delete(key: string): boolean {
    const wasThere = this.#remove(key);
    if (wasThere) this.#tellBytes(this.#bytes);
    return wasThere;
  }

  #add(key: string, answer: CachedAnswer, bytes: number): void {
    this.#answers.set(key, answer);
    this.#bytes += bytes;
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): boolean {
    const answer = this.#answers.get(key);
    if (answer === undefined) return false;
    this.#bytes -= weightOf(key, answer);
    return this.#answers.delete(key);
  }
}

function weightOf(key: string, { body, headers }: CachedAnswer): number {
  const texts = headers.reduce((sum, text) => sum + text.length, key.length);
  return OVERHEAD_BYTES + texts * 2 + body.length;
}

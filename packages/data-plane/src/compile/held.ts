/**
 * What compiled objects keep alive (plugin instances, connection pools), counted by its users: the snapshot that
 * lists it is one, every running request that picked it another. The last one to leave disposes it, so a reload
 * neither cuts a request short nor waits for a long one.
 */
export class Held {
  #users = 1;
  readonly #dispose: () => void;

  /** Starts with one user: the snapshot. */
  constructor(dispose: () => void) {
    this.#dispose = dispose;
  }

  acquire(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#dispose();
  }
}

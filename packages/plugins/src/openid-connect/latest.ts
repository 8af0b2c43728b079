/** Keeps what was made of an input until another one comes; what could not be made is not kept. */
export class Latest<TInput, TValue> {
  readonly #make: (input: TInput) => Promise<TValue>;
  #made: { readonly input: TInput; readonly value: Promise<TValue> } | undefined;

  constructor(make: (input: TInput) => Promise<TValue>) {
    this.#make = make;
  }

  /** What is made of an input, once for all who ask with the same one. Rejects when it cannot be made. */
  of(input: TInput): Promise<TValue> {
    if (this.#made !== undefined && this.#made.input === input) return this.#made.value;
    const made = { input, value: this.#make(input) };
    this.#made = made;
    made.value.catch(() => {
      if (this.#made === made) this.#made = undefined;
    });
    return made.value;
  }
}

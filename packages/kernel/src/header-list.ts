/**
 * HTTP header fields in wire order, repeats kept, names compared without case.
 *
 * It wraps the flat `[name, value, name, value, …]` array that Node uses too, so that forwarding a
 * request parses and allocates nothing. The array handed in is not copied: reading costs nothing, and the
 * first change copies it, so `request.rawHeaders` stays as it arrived.
 */
export class HeaderList {
  #fields: readonly string[];
  #own: boolean;

  constructor(fields: readonly string[] = []) {
    this.#fields = fields;
    this.#own = false;
  }

  /** The flat array, for the transport; not to be changed by the caller. */
  get raw(): readonly string[] {
    return this.#fields;
  }

  /** The first value of a field; `name` is lower case. */
  get(name: string): string | undefined {
    const fields = this.#fields;
    for (let index = 0; index < fields.length; index += 2) {
      if (isName(fields[index] as string, name)) return fields[index + 1];
    }
    return undefined;
  }

  /** Every value of a field in order; `name` is lower case. */
  getAll(name: string): string[] {
    const values: string[] = [];
    const fields = this.#fields;
    for (let index = 0; index < fields.length; index += 2) {
      if (isName(fields[index] as string, name)) values.push(fields[index + 1] as string);
    }
    return values;
  }

  /** Tells whether a field is there; `name` is lower case. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Replaces every field of that name by one, at the place of the first, else at the end. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    const fields = this.#ownFields();
    let first = 0;
    while (first < fields.length && !isName(fields[first] as string, lower)) first += 2;
    fields[first] = name;
    fields[first + 1] = value;
    removeFrom(fields, lower, first + 2);
  }

  /** Adds a field and keeps those of the same name. */
  append(name: string, value: string): void {
    this.#ownFields().push(name, value);
  }

  /** Removes every field of that name; `name` is lower case. */
  delete(name: string): void {
    if (this.has(name)) removeFrom(this.#ownFields(), name, 0);
  }

  /** The array, copied before the first change. */
  #ownFields(): string[] {
    if (!this.#own) {
      this.#fields = [...this.#fields];
      this.#own = true;
    }
    return this.#fields as string[];
  }
}

/** Removes the fields of that name, in lower case, that stand at `from` or behind. */
function removeFrom(fields: string[], lower: string, from: number): void {
  let kept = from;
  for (let index = from; index < fields.length; index += 2) {
    const field = fields[index] as string;
    if (isName(field, lower)) continue;
    if (kept !== index) {
      fields[kept] = field;
      fields[kept + 1] = fields[index + 1] as string;
    }
    kept += 2;
  }
  fields.length = kept;
}

/** Compares a field name as it came with a lower-case one. */
function isName(field: string, lower: string): boolean {
  return field.length === lower.length && (field === lower || field.toLowerCase() === lower);
}

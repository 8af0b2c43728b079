import { createHash } from "node:crypto";
import { BoundedMap } from "../bounded-map.ts";
import type { CachedAnswer, CacheStore, Eventual } from "./cache-store.ts";

/** Value of a request's field by its lower-case name. */
export type FieldLookup = (name: string) => string | undefined;

/** Answers of one address that differ by what requests say (`Vary`). */
interface Variants {
  /** Lower-case names of fields, sorted. */
  readonly fields: readonly string[];
  /** Keys in the store, oldest first. */
  readonly keys: string[];
}

/** Variants kept of one address; a field with many values would fill the store otherwise (APISIX: proxy-cache). */
const MAX_VARIANTS = 64;

/** Addresses whose answers are known to differ; beyond, the ones asked for longest ago are looked up as if not. */
const MAX_ADDRESSES = 10_000;

/** A store that keeps the answers of one address apart by the fields that they vary by (RFC 9111, 4.1). */
export class VariantCache {
  readonly #store: CacheStore;
  readonly #variants = new BoundedMap<string, Variants>(MAX_ADDRESSES);

  constructor(store: CacheStore) {
    this.#store = store;
  }

  find(address: string, fieldOf: FieldLookup): Eventual<CachedAnswer | undefined> {
    const variants = this.#variants.get(address);
    return this.#store.get(variants === undefined ? address : variantKey(address, variants.fields, fieldOf));
  }

  /** @param vary lower-case names of the fields that the answer varies by, sorted */
  async keep(
    { address, fieldOf }: { readonly address: string; readonly fieldOf: FieldLookup },
    vary: readonly string[],
    answer: CachedAnswer,
  ): Promise<void> {
    const known = this.#variants.get(address);
    if (vary.join() !== (known?.fields ?? []).join()) await this.purge(address);
    const key = vary.length === 0 ? address : variantKey(address, vary, fieldOf);
    if (vary.length > 0) await this.#note(address, vary, key);
    await this.#store.set(key, answer);
  }

  /** Forgets every answer of an address; tells whether there was one. */
  async purge(address: string): Promise<boolean> {
    const keys = [address, ...(this.#variants.get(address)?.keys ?? [])];
    this.#variants.delete(address);
    const results = await Promise.all(keys.map((key) => this.#store.delete(key)));
    return results.includes(true);
  }

  async #note(address: string, fields: readonly string[], key: string): Promise<void> {
    const variants = this.#variants.get(address) ?? { fields, keys: [] };
    this.#variants.set(address, variants);
    if (variants.keys.includes(key)) return;
    variants.keys.push(key);
    const oldest = variants.keys.length > MAX_VARIANTS ? variants.keys.shift() : undefined;
    if (oldest !== undefined) await this.#store.delete(oldest);
  }
}

function variantKey(address: string, fields: readonly string[], fieldOf: FieldLookup): string {
  const values = fields.map((name) => [name, fieldOf(name) ?? ""]);
  return `${address}\u0002${createHash("sha256").update(JSON.stringify(values)).digest("base64url")}`;
}

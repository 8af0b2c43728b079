import { z } from "zod";
import { compileOrigins, type OriginRule } from "./origins.ts";
import { ORIGINS } from "./schema.ts";

/** Metadata of the plugin: origins that configurations refer to by name (APISIX: cors). */
export const corsMetadataSchema = z.looseObject({
  allow_origins: z.record(z.string(), z.string().regex(ORIGINS)).optional(),
});

/** {@link corsMetadataSchema} as parsed. */
export type CorsMetadata = z.output<typeof corsMetadataSchema>;

/** Rules of the metadata's origins, compiled again only when there is other metadata. */
export class MetadataOrigins {
  readonly #names: readonly string[];
  readonly #read: () => CorsMetadata | undefined;
  #compiledFrom: CorsMetadata | undefined = undefined;
  #rules: readonly OriginRule[] = [];

  constructor(names: readonly string[], read: () => CorsMetadata | undefined) {
    this.#names = names;
    this.#read = read;
  }

  /** The origin, if one of the names allows it. */
  match(origin: string | undefined): string | undefined {
    if (origin === undefined) return undefined;
    const metadata = this.#read();
    if (metadata !== this.#compiledFrom) {
      this.#compiledFrom = metadata;
      this.#rules = this.#compile(metadata?.allow_origins ?? {});
    }
    return this.#rules.some((rule) => rule(origin) !== undefined) ? origin : undefined;
  }

  #compile(origins: Readonly<Record<string, string>>): readonly OriginRule[] {
    return this.#names.flatMap((name) => (Object.hasOwn(origins, name) ? compileOrigins(origins[name] ?? "") : []));
  }
}

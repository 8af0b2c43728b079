import { type Clock, GatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import { documentSections, type Keyring, keyOf, readDocumentItem } from "@fngate/schema";
import type { Revision } from "@fngate/store";
import type { DocumentStore } from "@fngate/store/document";
import { DocumentUniqueness } from "./document-uniqueness.ts";
import { documentProblems, wrongVersionType } from "./document-validation.ts";
import { isJsonObject, type JsonObject, memberOf } from "./json.ts";

/** What a {@link StandaloneConfiguration} works with. */
export interface StandaloneOptions {
  readonly document: Pick<DocumentStore, "publish">;
  readonly prefix: string;
  readonly catalog: PluginCatalog;
  readonly keyring: Keyring | undefined;
  readonly clock: Clock;
}

/** A section that has no kind: the list of plugins, which is kept as it came. */
const PLUGINS = "plugins";

/** An object as it was published, with the version that its item carried. */
interface Published {
  readonly value: string;
  readonly version: unknown;
}

/** One section of the document. */
interface Section {
  readonly version: number;
  readonly items: readonly unknown[];
  /** By store key. */
  readonly objects: ReadonlyMap<string, Published>;
}

const NOTHING: Section = { version: 0, items: [], objects: new Map() };

/** The configuration of standalone mode: in memory only, replaced section by section. Source: APISIX, standalone mode. */
export class StandaloneConfiguration {
  readonly #options: StandaloneOptions;
  #sections: ReadonlyMap<string, Section> = new Map();
  #digest: string | undefined;
  #lastModified: number | undefined;

  constructor(options: StandaloneOptions) {
    this.#options = options;
  }

  /** What the client called the document; undefined before the first one. */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** When it was replaced, in Unix seconds; undefined before the first time. */
  get lastModified(): number | undefined {
    return this.#lastModified;
  }

  /** The document as clients read it: versions of all sections, items of those that have some. */
  render(): JsonObject {
    const sections = SECTION_NAMES.map((name) => [name, this.#sections.get(name) ?? NOTHING] as const);
    return {
      ...Object.fromEntries(sections.map(([name, { version }]) => [`${name}_conf_version`, version])),
      ...Object.fromEntries(sections.flatMap(([name, { items }]) => (items.length === 0 ? [] : [[name, items]]))),
      ...(this.#digest === undefined ? {} : { "X-Last-Modified": this.#lastModified, "X-Digest": this.#digest }),
    };
  }

  /**
   * Takes a document over: sections with a newer version, or without one, are replaced, the others stay. Raises
   * `RESOURCE_INVALID` for the first problem, and then nothing has changed.
   */
  async replace(document: JsonObject, digest: string): Promise<Revision> {
    await this.#assertValid(document);
    // From here on nothing waits: documents that come at once are taken over one after the other.
    const sections = new Map(SECTION_NAMES.map((name) => [name, this.#nextSection(name, document)]));
    const objects = [...sections.values()].flatMap((section) => [...section.objects]);
    const revision = this.#options.document.publish(new Map(objects.map(([key, { value }]) => [key, value])));
    this.#sections = sections;
    this.#digest = digest;
    this.#lastModified = Math.floor(this.#options.clock.now() / 1_000);
    return revision;
  }

  async #assertValid(document: JsonObject): Promise<void> {
    for (const name of SECTION_NAMES) {
      if (wrongVersionType(name, document) !== undefined) throw invalid(`${name}_conf_version must be a number`);
    }
    const { catalog, keyring } = this.#options;
    const scope = { catalog, keyring, uniqueness: new DocumentUniqueness(catalog), hasVersions: true };
    for await (const { error } of documentProblems(document, scope)) throw invalid(error);
  }

  #nextSection(name: string, document: JsonObject): Section {
    const current = this.#sections.get(name) ?? NOTHING;
    const sent = memberOf(document, `${name}_conf_version`);
    const version = typeof sent === "number" ? sent : current.version + 1;
    if (version < current.version) {
      throw invalid(`${name}_conf_version must be greater than or equal to (${current.version})`);
    }
    if (version === current.version) return current;
    const items = memberOf(document, name);
    const list: readonly unknown[] = Array.isArray(items) ? items : [];
    return { version, items: list, objects: this.#objectsOf(name, list, current) };
  }

  /** An item whose `modifiedIndex` is the one of before stays what it was, whatever else it says. */
  #objectsOf(name: string, items: readonly unknown[], current: Section): ReadonlyMap<string, Published> {
    const section = documentSections().find(({ plural }) => plural === name);
    if (section === undefined) return new Map();
    const objects = items.filter(isJsonObject).map((item, index): [string, Published] => {
      const { definition, id, value, version } = readDocumentItem(section, item, index);
      const key = keyOf(this.#options.prefix, definition, id);
      const held = version === undefined ? undefined : current.objects.get(key);
      return [key, held !== undefined && held.version === version ? held : { value: JSON.stringify(value), version }];
    });
    return new Map(objects);
  }
}

const SECTION_NAMES = [...documentSections().map(({ plural }) => plural), PLUGINS];

function invalid(message: string): GatewayError {
  return new GatewayError("RESOURCE_INVALID", message);
}

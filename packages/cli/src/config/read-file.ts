import { readFile } from "node:fs/promises";
import { GatewayError, messageOf } from "@fngate/kernel";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import type { Environment } from "./environment.ts";
import { Origins } from "./origins.ts";
import { substitute } from "./substitute.ts";
import { formatPath, isForbiddenKey, type Path, type Tree, type TreeMap } from "./tree.ts";

/** A configuration file after environment substitution, before defaults. */
export interface ReadFile {
  readonly tree: TreeMap;
  readonly origins: Origins;
  /** Text of values that substitution gave a type, by path: a key that must be a text gets this back. */
  readonly substitutedTexts: ReadonlyMap<string, string>;
  /** What is wrong, one sentence with origin each. */
  readonly problems: readonly string[];
  /** Keys that were left out because they could reach an object's prototype. */
  readonly forbiddenKeys: readonly string[];
}

/** What {@link readConfigFile} reads. */
export interface ReadFileOptions {
  readonly file: string;
  /** The file's name in origins and errors. */
  readonly title: string;
  readonly environment: Environment;
}

/**
 * Reads a YAML file in APISIX's shape and puts environment variables in, in keys as well as in values.
 *
 * Raises `CONFIG_UNREADABLE` when there is no such file or it is not YAML, naming the line.
 */
export async function readConfigFile({ file, title, environment }: ReadFileOptions): Promise<ReadFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new GatewayError("CONFIG_UNREADABLE", `cannot read ${title}: ${messageOf(cause)}`, { cause });
  }
  return new FileReader(title, text, environment).read();
}

/** The walk over one file; its state is what {@link ReadFile} is made of. */
class FileReader {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;
  readonly #environment: Environment;
  readonly #origins = new Origins();
  readonly #substitutedTexts = new Map<string, string>();
  readonly #problems: string[] = [];
  readonly #forbiddenKeys: string[] = [];

  constructor(file: string, text: string, environment: Environment) {
    this.#file = file;
    this.#environment = environment;
    // APISIX's parser knows merge keys (<<).
    this.#document = parseDocument(text, { lineCounter: this.#lines, merge: true, prettyErrors: false });
  }

  read(): ReadFile {
    const [error] = this.#document.errors;
    if (error !== undefined) {
      const { line } = this.#lines.linePos(error.pos[0]);
      throw new GatewayError("CONFIG_UNREADABLE", `${this.#file}:${line}: ${error.message}`, { cause: error });
    }
    const root: unknown = this.#toMaps();
    if (root !== null && root !== undefined && !(root instanceof Map)) {
      throw new GatewayError("CONFIG_UNREADABLE", `${this.#file}:1: expected a map of keys at the top`);
    }
    const tree = root instanceof Map ? this.#convertMap(root, { source: [], target: [] }) : {};
    return {
      tree,
      origins: this.#origins,
      substitutedTexts: this.#substitutedTexts,
      problems: this.#problems,
      forbiddenKeys: this.#forbiddenKeys,
    };
  }

  #toMaps(): unknown {
    try {
      // Maps, because objects would let a key such as __proto__ act before anybody looks at it.
      return this.#document.toJS({ mapAsMap: true });
    } catch (cause) {
      throw new GatewayError("CONFIG_UNREADABLE", `${this.#file}: ${messageOf(cause)}`, { cause });
    }
  }

  #convertMap(map: ReadonlyMap<unknown, unknown>, at: Place): TreeMap {
    const result: Record<string, Tree> = {};
    for (const [sourceKey, value] of map) {
      const key = this.#convertKey(String(sourceKey), at);
      const target = [...at.target, key];
      const source = [...at.source, sourceKey];
      if (isForbiddenKey(key)) this.#forbiddenKeys.push(`${formatPath(target)} (${this.#originOf(source)})`);
      else result[key] = this.#convert(value, { source, target });
    }
    return result;
  }

  #convertKey(key: string, at: Place): string {
    const substitution = substitute(key, this.#environment);
    this.#reportMissing(substitution?.missing, at);
    return substitution?.text ?? key;
  }

  #convert(value: unknown, at: Place): Tree {
    const isMapInMaps = value instanceof Map && at.target.every((step) => typeof step === "string");
    if (isMapInMaps) this.#origins.setMap(at.target, this.#originOf(at.source));
    else this.#origins.set(at.target, this.#originOf(at.source));
    if (value instanceof Map) return this.#convertMap(value, at);
    if (Array.isArray(value)) {
      return value.map((item: unknown, index) =>
        this.#convert(item, { source: [...at.source, index], target: [...at.target, index] }),
      );
    }
    if (typeof value === "string") return this.#convertText(value, at);
    if (typeof value === "number" || typeof value === "boolean") return value;
    return value === null || value === undefined ? null : String(value);
  }

  #convertText(text: string, at: Place): Tree {
    const substitution = substitute(text, this.#environment);
    if (substitution === undefined) return text;
    this.#reportMissing(substitution.missing, at);
    this.#substitutedTexts.set(formatPath(at.target), substitution.text);
    this.#origins.set(at.target, `${this.#originOf(at.source)}, environment ${substitution.names.join(", ")}`);
    return substitution.value;
  }

  #reportMissing(names: readonly string[] | undefined, at: Place): void {
    for (const name of names ?? []) {
      this.#problems.push(
        `${formatPath(at.target)}: environment variable ${name} is not set and has no default (${this.#originOf(at.source)})`,
      );
    }
  }

  /** File and line; keys that came through an alias or a merge key have the line of the map around them. */
  #originOf(source: readonly unknown[]): string {
    for (let length = source.length; length > 0; length--) {
      const node = this.#document.getIn(source.slice(0, length), true);
      if (isNode(node) && node.range) return `${this.#file}:${this.#lines.linePos(node.range[0]).line}`;
    }
    return this.#file;
  }
}

/** Where a value stands in the document, and where it goes: the two differ when a key holds a variable. */
interface Place {
  readonly source: readonly unknown[];
  readonly target: Path;
}

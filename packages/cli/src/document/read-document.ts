import { GatewayError, messageOf } from "@fngate/kernel";
import {
  type DocumentItem,
  documentSections,
  emptyTableForNull,
  type ResourceDefinition,
  readDocumentItem,
} from "@fngate/schema";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import type { Environment } from "../config/environment.ts";
import { nearest } from "../config/nearest.ts";
import { substitute } from "../config/substitute.ts";
import { substituteTree } from "./substitute-tree.ts";

/** How a declarative file is written. */
export type DocumentFormat = "yaml" | "json";

/** What {@link readDocument} reads. */
export interface DocumentSource {
  readonly text: string;
  /** The file's name in errors and warnings. */
  readonly title: string;
  readonly format: DocumentFormat;
  readonly environment: Environment;
}

/** One object of a file. */
export interface LocatedItem extends DocumentItem {
  readonly section: ResourceDefinition;
  /** The item as it stands in the file. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** `apisix.yaml:12`, or the file alone where lines are not known. */
  readonly origin: string;
}

/** A file's objects, the last one of those with the same id. */
export interface ReadDocument {
  readonly items: readonly LocatedItem[];
  /** One sentence per part of the file that has no effect, with its origin. */
  readonly warnings: readonly string[];
  /** False when some of what the file says about objects has no effect. */
  readonly isWhole: boolean;
}

/**
 * Uses of anchors that a file may make, counted with all they expand to: far beyond any real file, and a bound for one
 * made to explode.
 */
const MAX_ALIASES = 1_000_000;

/** APISIX's list of the plugins to load, which is no list of objects. */
const PLUGINS = "plugins";
const PLUGINS_NOTE = "plugins has no effect, config.yaml says which there are";

/** What an id may look like in a store key, where the kind says nothing else. */
const ANY_ID = /^[^/]+$/;

/**
 * Reads a declarative file in the form of APISIX's `apisix.yaml` or `apisix.json`. Raises `CONFIG_UNREADABLE` with file
 * and line when it is no such document; what concerns one object only is a warning.
 */
export function readDocument(source: DocumentSource): ReadDocument {
  const { root, originOf } = source.format === "yaml" ? parseYaml(source) : parseJson(source);
  if (!isRecord(root)) throw unreadable(`${originOf([])}: expected a map of sections such as routes`);
  const losses = unknownSections(root, originOf);
  const byKey = new Map<string, LocatedItem>();
  for (const section of documentSections()) {
    for (const [index, raw] of itemsOf(root, section.plural, originOf).entries()) {
      const warning = take({ section, raw, index, origin: originOf([section.plural, index]) }, byKey);
      if (warning !== undefined) losses.push(warning);
    }
  }
  const notes = Object.hasOwn(root, PLUGINS) ? [`${originOf([PLUGINS])}: ${PLUGINS_NOTE}`] : [];
  return { items: [...byKey.values()], warnings: [...losses, ...notes], isWhole: losses.length === 0 };
}

/** Adds an item to the others; returns what there is to say about it. */
function take(
  { section, raw, index, origin }: Pick<LocatedItem, "section" | "origin"> & { raw: unknown; index: number },
  byKey: Map<string, LocatedItem>,
): string | undefined {
  const { plural } = section;
  if (!isRecord(raw)) return `${origin}: item ${index + 1} of ${plural} should be an object; it is left out`;
  const item = readDocumentItem(section, raw, index);
  const { definition, id } = item;
  if (!(definition.idPattern ?? ANY_ID).test(id)) {
    return `${origin}: invalid ${definition.label} id: ${id}; it is left out`;
  }
  const key = `${definition.kind} ${id}`;
  const isRepeated = byKey.has(key);
  byKey.set(key, { ...item, section, raw, origin });
  return isRepeated ? `${origin}: found duplicate id ${id} in ${plural}; the last one counts` : undefined;
}

/** What became of the text, and where a path in it stands. */
interface Parsed {
  readonly root: unknown;
  readonly originOf: (path: readonly (string | number)[]) => string;
}

/** Variables are put into the text before it is parsed, so that YAML's quotes decide about types, as in APISIX. */
function parseYaml({ text, title, environment }: DocumentSource): Parsed {
  const substitution = substitute(text, environment);
  const [missing] = substitution?.missing ?? [];
  if (missing !== undefined) {
    const line = text.slice(0, text.search(new RegExp(`\\$\\{\\{\\s*${missing}\\b`))).split("\n").length;
    throw unreadable(`${title}:${line}: can't find environment variable ${missing}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(substitution?.text ?? text, { lineCounter: lines, merge: true, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const message = error.message.split("\n")[0] ?? "";
    throw unreadable(`${title}:${lines.linePos(error.pos[0]).line}: ${message}`, error);
  }
  try {
    const root: unknown = document.toJS({ maxAliasCount: MAX_ALIASES, reviver: emptyTableForNull });
    return { root, originOf: (path) => originIn(document, lines, { title, path }) };
  } catch (error) {
    throw unreadable(`${title}: ${messageOf(error)}`, error);
  }
}

function parseJson({ text, title, environment }: DocumentSource): Parsed {
  try {
    return { root: substituteTree(JSON.parse(text), environment), originOf: () => title };
  } catch (error) {
    throw unreadable(`${title}: ${messageOf(error)}`, error);
  }
}

/** Parts that came through an alias or a merge key have the line of what is around them. */
function originIn(
  document: Document,
  lines: LineCounter,
  { title, path }: { readonly title: string; readonly path: readonly (string | number)[] },
): string {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return `${title}:${lines.linePos(node.range[0]).line}`;
  }
  return `${title}:1`;
}

function itemsOf(
  root: Readonly<Record<string, unknown>>,
  plural: string,
  originOf: Parsed["originOf"],
): readonly unknown[] {
  const items = Object.hasOwn(root, plural) ? root[plural] : undefined;
  if (items === undefined || items === null) return [];
  if (Array.isArray(items)) return items;
  if (isRecord(items) && Object.keys(items).length === 0) return [];
  throw unreadable(`${originOf([plural])}: ${plural} must be an array`);
}

function unknownSections(root: Readonly<Record<string, unknown>>, originOf: Parsed["originOf"]): string[] {
  const known = documentSections().map(({ plural }) => plural);
  return Object.keys(root).flatMap((name) => {
    if (known.includes(name) || name === PLUGINS || name.endsWith("_conf_version")) return [];
    const near = nearest(name, known);
    return [
      `${originOf([name])}: ${name} is unknown and has no effect${near === undefined ? "" : `; did you mean ${near}?`}`,
    ];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unreadable(message: string, cause?: unknown): GatewayError {
  return new GatewayError("CONFIG_UNREADABLE", message, { cause });
}

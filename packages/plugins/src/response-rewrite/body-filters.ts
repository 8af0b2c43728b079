import { isUtf8 } from "node:buffer";
import { RE2JS } from "re2js";
import { compileSubstitution } from "../shared/substitution.ts";
import { toByteString } from "../shared/wire-text.ts";
import type { BodyReplacement } from "./schema.ts";

/** Changes a whole body. */
export type BodyChange = (body: Buffer) => Buffer;

/** RE2's flags by the letters of OpenResty; the letters of 0 choose how PCRE works and change no result here. */
const FLAGS: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
  j: 0,
  o: 0,
  u: 0,
  U: 0,
};

/**
 * Compiles one replacement. Bodies are bytes to it, unless its options say `u`: then a body that is UTF-8 is text, and
 * any other one stays as it is.
 * @throws when the pattern or an option is none.
 */
export function compileFilter({ options, regex, replace, scope }: BodyReplacement): BodyChange {
  const isText = /u/i.test(options);
  const encode = isText ? (text: string): string => text : toByteString;
  const substitution = compileSubstitution(RE2JS.compile(encode(regex), flagsOf(options)), encode(replace));
  const encoding = isText ? "utf8" : "latin1";
  const replaceAll = (text: string): string | undefined =>
    scope === "once" ? substitution.first(text) : substitution.all(text);
  const replaceIn = isEndAnchored(regex, options) ? beforeLastLineFeed(replaceAll) : replaceAll;
  return (body) => {
    if (isText && !isUtf8(body)) return body;
    const text = body.toString(encoding);
    const changed = replaceIn(text);
    return changed === undefined ? body : Buffer.from(changed, encoding);
  };
}

function isEndAnchored(regex: string, options: string): boolean {
  return /(?<!\\)(?:\\\\)*\$$/.test(regex) && !options.includes("m");
}

/** PCRE's `$` stands before a line feed that ends the text, too; RE2's only at the very end. */
function beforeLastLineFeed(replace: (text: string) => string | undefined): (text: string) => string | undefined {
  return (text) => {
    const changed = text.endsWith("\n") ? replace(text.slice(0, -1)) : undefined;
    return changed === undefined ? replace(text) : `${changed}\n`;
  };
}

/** Compiles replacements that are made one after the other. */
export function compileFilters(filters: readonly BodyReplacement[]): BodyChange {
  const changes = filters.map(compileFilter);
  return (body) => changes.reduce((changed, change) => change(changed), body);
}

function flagsOf(options: string): number {
  let flags = 0;
  for (const letter of options) {
    const flag = FLAGS[letter];
    if (flag === undefined) throw new Error(`unknown flag "${letter}" (flags "${options}")`);
    flags |= flag;
  }
  return flags;
}

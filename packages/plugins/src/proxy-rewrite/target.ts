import { compileTemplate, type RequestContext, type Variables } from "@fngate/plugin-kit";
import type { RE2JS } from "re2js";
import { compilePattern } from "../shared/patterns.ts";
import { escapeByte } from "../shared/percent-encoding.ts";
import { compileSubstitution, type Substitution } from "../shared/substitution.ts";
import { toByteString } from "../shared/wire-text.ts";
import type { ProxyRewriteConfig } from "./schema.ts";

/** Groups of the pattern that matched, the whole match first; empty when none did. */
export type Captures = readonly string[];

/** Path and query to send, ready for the wire. */
export interface Target {
  readonly path: string;
  readonly query: string;
}

/** What becomes of a request's target; without `target` it stays. */
export interface RewrittenTarget {
  readonly target?: Target;
  readonly captures: Captures;
}

type Rewrite = (context: RequestContext) => RewrittenTarget;

const UNCHANGED: RewrittenTarget = Object.freeze({ captures: Object.freeze([]) });

/** Compiles `uri` or `regex_uri`. */
export function compileTarget(config: ProxyRewriteConfig): Rewrite {
  if (config.uri !== undefined) return compileUri(config.uri, config.use_real_request_uri_unsafe);
  if (config.regex_uri === undefined) return () => UNCHANGED;
  return compileRegexUri(config.regex_uri, config.use_real_request_uri_unsafe);
}

function compileUri(uri: string, isRaw: boolean): Rewrite {
  const template = compileTemplate(toByteString(uri));
  return ({ request, variables }) => {
    const text = template.render({ get: (name) => withoutMark(name, variables) });
    return { captures: [], target: splitTarget(text, request.query, isRaw) };
  };
}

/**
 * Stands for a question mark of a value, which begins no query as that of the configuration does. No byte string has
 * such a character, and its lower byte is what it is encoded as.
 */
const MASKED_MARK = "\u013f";

function withoutMark(name: string, variables: Pick<Variables, "get">): unknown {
  const value = variables.get(name);
  return typeof value === "string" ? value.replaceAll("?", MASKED_MARK) : value;
}

interface RegexPair {
  readonly pattern: RE2JS;
  readonly substitution: Substitution;
}

function compileRegexUri(texts: readonly string[], isRaw: boolean): Rewrite {
  const pairs = pairsOf(texts);
  return ({ request, variables }) => {
    const subject = isRaw ? String(variables.get("real_request_uri")) : request.path;
    for (const { pattern, substitution } of pairs) {
      const captures = match(pattern, subject);
      if (captures === undefined) continue;
      const text = substitution.first(subject) ?? subject;
      return { captures, target: isRaw ? splitRaw(text) : fromReplacement(text, subject, request.query) };
    }
    return UNCHANGED;
  };
}

function pairsOf(texts: readonly string[]): readonly RegexPair[] {
  const pairs: RegexPair[] = [];
  for (let index = 0; index + 1 < texts.length; index += 2) {
    const pattern = compilePattern(toByteString(texts[index] as string));
    pairs.push({ pattern, substitution: compileSubstitution(pattern, toByteString(texts[index + 1] as string)) });
  }
  return pairs;
}

function match(pattern: RE2JS, subject: string): Captures | undefined {
  const matcher = pattern.matcher(subject);
  if (!matcher.find()) return undefined;
  return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? "");
}

/** A question mark in the client's decoded path came as `%3F`: then none in the result begins a query. */
function fromReplacement(text: string, subject: string, query: string): Target {
  return subject.includes("?") ? { path: encodePath(text), query } : splitTarget(text, query, false);
}

/** The client's query goes behind the one that the new target has itself. */
function splitTarget(text: string, clientQuery: string, isRaw: boolean): Target {
  const mark = text.indexOf("?");
  const encode = isRaw ? encodeControls : encodePath;
  if (mark < 0) return { path: encode(text), query: clientQuery };
  const query = encodeControls(text.slice(mark + 1));
  return { path: encode(text.slice(0, mark)), query: clientQuery === "" ? query : `${query}&${clientQuery}` };
}

/** The result of rewriting a target that had its query in it. */
function splitRaw(text: string): Target {
  return splitTarget(text.startsWith("/") ? text : `/${text}`, "", true);
}

/** What nginx encodes in a path (`ngx_escape_uri`). */
const UNSAFE = /[^!$&'()*+,\-./0-9:;=@A-Z[\]_a-z~]/g;

/** What cannot stand in a request line. */
const UNSENDABLE = /[^\x21-\x7e]/g;

function encodePath(path: string): string {
  const encoded = path.replace(UNSAFE, (character) => escapeByte(character.charCodeAt(0)));
  return encoded.startsWith("/") ? encoded : `/${encoded}`;
}

function encodeControls(text: string): string {
  return text.replace(UNSENDABLE, (character) => escapeByte(character.charCodeAt(0)));
}

/** A request target, taken apart. */
export interface ParsedTarget {
  /** Decoded once, dots resolved, slashes merged; one character per byte. */
  readonly path: string;
  /** What the router looks at; differs from `path` only under the URI options. */
  readonly matchPath: string;
  /** Query as sent, without `?`. */
  readonly query: string;
  /** Authority of an absolute-form target. */
  readonly authority: string | undefined;
  /** The target in origin form without fragment: what a plain upstream receives. */
  readonly origin: string;
}

/** APISIX's options for paths: `delete_uri_tail_slash`, `match_uri_encoded_slash`, `normalize_uri_like_servlet`. */
export interface TargetOptions {
  readonly deleteTailSlash: boolean;
  readonly keepEncodedSlash: boolean;
  /** APISIX's `normalize_uri_like_servlet`. */
  readonly dropParameters: boolean;
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const DOT = 0x2e;
const HASH = 0x23;
const QUESTION = 0x3f;

/**
 * Reads a request target as it stood on the request line; nothing for one that has to be answered with 400: asterisk
 * form, bad or NUL escape, a path that climbs above the root. Source: APISIX routing, request normalisation.
 */
export function parseTarget(target: string, options: TargetOptions): ParsedTarget | undefined {
  if (target.charCodeAt(0) !== SLASH) return parseAbsolute(target, options);
  return parseOrigin(target, undefined, options);
}

function parseAbsolute(target: string, options: TargetOptions): ParsedTarget | undefined {
  const scheme = /^https?:\/\//i.exec(target)?.[0];
  if (scheme === undefined) return undefined;
  const rest = target.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (authority === "") return undefined;
  const origin = end < 0 ? "/" : rest.slice(end);
  return parseOrigin(origin.startsWith("/") ? origin : `/${origin}`, authority, options);
}

function parseOrigin(target: string, authority: string | undefined, options: TargetOptions): ParsedTarget | undefined {
  const scan = scanTarget(target);
  const rawPath = target.slice(0, scan.pathEnd);
  const normal = scan.isPlain ? rawPath : normalisePath(rawPath);
  const path = normal !== undefined && options.dropParameters ? dropParameters(normal) : normal;
  if (path === undefined) return undefined;
  let matchPath = path;
  if (options.keepEncodedSlash && authority === undefined) matchPath = keepEncodedSlashes(rawPath, path);
  if (options.deleteTailSlash && matchPath.endsWith("/")) matchPath = matchPath.slice(0, -1);
  const origin = scan.end === target.length ? target : target.slice(0, scan.end);
  const query = scan.pathEnd < scan.end ? target.slice(scan.pathEnd + 1, scan.end) : "";
  return { path, matchPath, query, authority, origin };
}

interface TargetScan {
  /** Index after the path. */
  readonly pathEnd: number;
  /** Index after the query: the fragment is cut. */
  readonly end: number;
  /** No escape, no `//`, no `/.`: the path is normal as it is. */
  readonly isPlain: boolean;
}

function scanTarget(target: string): TargetScan {
  let isPlain = true;
  let previous = 0;
  for (let index = 0; index < target.length; index += 1) {
    const code = target.charCodeAt(index);
    if (code === QUESTION || code === HASH) {
      const fragment = code === HASH ? index : target.indexOf("#", index);
      return { pathEnd: index, end: fragment < 0 ? target.length : fragment, isPlain };
    }
    if (code === PERCENT || (previous === SLASH && (code === SLASH || code === DOT))) isPlain = false;
    previous = code;
  }
  return { pathEnd: target.length, end: target.length, isPlain };
}

function normalisePath(rawPath: string): string | undefined {
  const decoded = decodeEscapes(rawPath);
  return decoded === undefined ? undefined : resolveSegments(decoded);
}

/** Decodes every escape once, to bytes; nothing when one is malformed or NUL. */
function decodeEscapes(text: string): string | undefined {
  let at = text.indexOf("%");
  if (at < 0) return text;
  let decoded = "";
  let from = 0;
  while (at >= 0) {
    const hex = text.slice(at + 1, at + 3);
    if (!/^[0-9a-f]{2}$/i.test(hex) || hex === "00") return undefined;
    decoded += text.slice(from, at) + String.fromCharCode(Number.parseInt(hex, 16));
    from = at + 3;
    at = text.indexOf("%", from);
  }
  return decoded + text.slice(from);
}

/** Resolves `.` and `..` and merges runs of slashes; nothing when the path climbs above the root. */
function resolveSegments(path: string): string | undefined {
  const kept: string[] = [];
  const segments = path.split("/");
  const last = segments.length - 1;
  let endsWithSlash = false;
  for (const [index, segment] of segments.entries()) {
    endsWithSlash = segment === "" || segment === "." || segment === "..";
    if (segment === "..") {
      if (kept.pop() === undefined) return undefined;
    } else if (!endsWithSlash) kept.push(segment);
    if (index === last) break;
  }
  const joined = `/${kept.join("/")}`;
  return endsWithSlash && kept.length > 0 ? `${joined}/` : joined;
}

/**
 * Cuts every segment at its `;`, as servlet containers do; nothing for segments whose parameters hide a dot segment or
 * stand alone in the middle (APISIX: normalize_uri_like_servlet).
 */
function dropParameters(path: string): string | undefined {
  if (!path.includes(";")) return path;
  const segments = path.split("/");
  const last = segments.length - 1;
  for (const [index, segment] of segments.entries()) {
    const end = segment.indexOf(";");
    if (end < 0) continue;
    const name = segment.slice(0, end);
    if (HIDDEN_DOTS.test(name) || (name === "" && index < last)) return undefined;
    segments[index] = name;
  }
  return segments.join("/");
}

/** `.` and `..`, also where one more decoding would make them. */
const HIDDEN_DOTS = /^(?:\.|%2e){1,2}$/i;

/**
 * The path with encoded slashes left as the text `%2F`, when decoding was all that normalisation did; else the
 * normal path (APISIX: match_uri_encoded_slash).
 */
function keepEncodedSlashes(rawPath: string, path: string): string {
  if (!/%2f/i.test(rawPath)) return path;
  if (decodeEscapes(rawPath) !== path) return path;
  return rawPath.split(/%2f/i).map(decodeEscapes).join("%2F");
}

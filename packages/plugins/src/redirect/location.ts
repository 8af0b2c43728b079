import { compileTemplate, type RequestContext } from "@fngate/plugin-kit";
import { compilePattern } from "../shared/patterns.ts";
import { escapeByte } from "../shared/percent-encoding.ts";
import { compileSubstitution } from "../shared/substitution.ts";
import type { RedirectConfig } from "./schema.ts";

/** Where a request is sent; nothing when it is not. */
export type LocationOf = (context: RequestContext) => string | undefined;

/** Compiles `uri` or `regex_uri` with what is done to the result. */
export function compileLocation(config: RedirectConfig): LocationOf {
  const base = compileBase(config);
  const { append_query_string: isQueryAppended, encode_uri: isEncoded } = config;
  return (context) => {
    const location = base(context);
    if (location === undefined) return undefined;
    const encoded = isEncoded ? encodeUpToQuery(location) : location;
    return safe(isQueryAppended ? withQuery(encoded, context.request.query) : encoded);
  };
}

/** Compiles `http_to_https`; the port is left out when there is none or when it is the scheme's own. */
export function compileHttpsLocation(port: unknown): LocationOf {
  const isShown = typeof port === "number" && port > 0 && port <= 65_535 && port !== 443;
  const template = compileTemplate(`https://$host${isShown ? `:${port}` : ""}$request_uri`);
  return ({ variables }) => safe(template.render(variables));
}

function compileBase({ regex_uri: regexUri, uri }: RedirectConfig): LocationOf {
  if (uri !== undefined) {
    // Here, other than elsewhere, the backslash of `\\$` stays (APISIX: redirect).
    const template = compileTemplate(uri.replaceAll("\\$", "\\\\$"));
    return ({ variables }) => template.render(variables);
  }
  const [pattern, replacement] = regexUri ?? [];
  if (pattern === undefined || replacement === undefined) return () => undefined;
  const substitution = compileSubstitution(compilePattern(pattern), replacement);
  return ({ request }) => substitution.first(request.path);
}

function withQuery(location: string, query: string): string {
  if (query === "") return location;
  return `${location}${location.includes("?") ? "&" : "?"}${query}`;
}

/** What a path keeps beside letters and digits. */
const UNSAFE = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/g;

function encodeUpToQuery(location: string): string {
  const query = location.indexOf("?");
  const path = query < 0 ? location : location.slice(0, query);
  const encoded = path.replace(UNSAFE, (character) => escapeByte(character.charCodeAt(0)));
  return query < 0 ? encoded : encoded + location.slice(query);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get into a header
const UNSENDABLE = /[\x00-\x1f\x7f]/g;

/** A decoded path may hold line breaks, which must not split the answer's head. */
function safe(location: string): string {
  return location.replace(UNSENDABLE, (character) => escapeByte(character.charCodeAt(0)));
}

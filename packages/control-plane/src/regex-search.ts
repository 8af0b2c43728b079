import { Script } from "node:vm";

/**
 * How long one search may hold up the process, in milliseconds. A pattern comes from whoever may read, and one
 * that backtracks without end must not stop the gateway; APISIX's PCRE gives up after a number of steps likewise.
 */
const SEARCH_TIMEOUT_MS = 100;

/** PCRE takes escapes such as `\-` that JavaScript takes only without the `u` flag. */
const search = new Script(`
  const compile = (flags) => { try { return new RegExp(pattern, flags); } catch {} };
  const regex = compile("u") ?? compile("");
  JSON.parse(rows).map((texts) => regex !== undefined && texts.some((text) => regex.test(text)));
`);

/**
 * Tells for each row whether one of its texts contains a match of `pattern`: unanchored, case-sensitive. A pattern
 * that is not valid or takes too long matches nothing. The dialect is JavaScript's, where APISIX has PCRE.
 */
export function searchTexts(pattern: string, rows: readonly (readonly string[])[]): readonly boolean[] {
  if (/^[\w /-]*$/.test(pattern)) return rows.map((texts) => texts.some((text) => text.includes(pattern)));
  try {
    const found: unknown = search.runInNewContext(
      { pattern, rows: JSON.stringify(rows) },
      { timeout: SEARCH_TIMEOUT_MS, contextCodeGeneration: { strings: false, wasm: false } },
    );
    return Array.isArray(found) ? found.map((hit) => hit === true) : rows.map(() => false);
  } catch {
    return rows.map(() => false);
  }
}

import { percentDecode, percentEncode } from "./percent-encoding.ts";

/** What an argument keeps beside letters and digits: the set of `encodeURIComponent`. */
const ARGUMENT_KEPT = "-._~!'()*";

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;

/** 1 for each byte that an argument carries unescaped. */
const IS_KEPT = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9]/.test(String.fromCharCode(byte)) || ARGUMENT_KEPT.includes(String.fromCharCode(byte)) ? 1 : 0,
);

/** Value of each upper-case hexadecimal digit; 255 for everything else. */
const HEX_VALUE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = "0123456789ABCDEF".indexOf(String.fromCharCode(byte));
  return value === -1 ? 255 : value;
});

/**
 * Parses a query (byte string, without `?`) and writes it again the way APISIX's function plugins do: `+` becomes
 * `%20`, bad escapes become literal, arguments without a name disappear, only the first `=` splits. The order of the
 * arguments stays. A query that is already in that form is returned as it is, after one scan.
 */
export function encodeQuery(query: string): string {
  if (isCanonical(query)) return query;
  const encoded: string[] = [];
  for (const argument of query.split("&")) {
    const split = argument.indexOf("=");
    const name = split === -1 ? argument : argument.slice(0, split);
    if (name === "") continue;
    encoded.push(split === -1 ? encodeText(name) : `${encodeText(name)}=${encodeText(argument.slice(split + 1))}`);
  }
  return encoded.join("&");
}

function encodeText(text: string): string {
  return percentEncode(percentDecode(text.replaceAll("+", " ")), ARGUMENT_KEPT);
}

/** Where in an argument the scan stands; `BROKEN`: the query has to be written again. */
type State = typeof ARGUMENT_START | typeof NAME | typeof VALUE | typeof BROKEN;
const ARGUMENT_START = 0;
const NAME = 1;
const VALUE = 2;
const BROKEN = 3;

/** Whether {@link encodeQuery} would change nothing. */
function isCanonical(query: string): boolean {
  let state: State = ARGUMENT_START;
  for (let index = 0; index < query.length; index += 1) {
    state = stateAfter(query, index, state);
    if (state === BROKEN) return false;
    if (query.charCodeAt(index) === PERCENT) index += 2;
  }
  return state !== ARGUMENT_START || query === "";
}

function stateAfter(query: string, index: number, state: State): State {
  const code = query.charCodeAt(index);
  if (code === AMPERSAND) return state === ARGUMENT_START ? BROKEN : ARGUMENT_START;
  if (code === EQUALS) return state === NAME ? VALUE : BROKEN;
  if (!isCanonicalCharacter(query, index)) return BROKEN;
  return state === ARGUMENT_START ? NAME : state;
}

/** Whether the character, or the escape that begins there, is how that byte is written. */
function isCanonicalCharacter(query: string, index: number): boolean {
  const code = query.charCodeAt(index);
  if (code !== PERCENT) return IS_KEPT[code] === 1;
  const high = HEX_VALUE[query.charCodeAt(index + 1)] ?? 255;
  const low = HEX_VALUE[query.charCodeAt(index + 2)] ?? 255;
  return high !== 255 && low !== 255 && IS_KEPT[high * 16 + low] === 0;
}

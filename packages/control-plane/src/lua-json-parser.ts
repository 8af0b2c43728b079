/** What decoding came to: a value, or the decoder's sentence. */
export type LuaJsonResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

/** lua-cjson's `decode_max_depth`. */
export const MAX_DEPTH = 1000;

/** Parses a body given as one character per byte, with lua-cjson's liberties and texts; never throws. */
export function parseLeniently(bytes: string): LuaJsonResult {
  try {
    return { ok: true, value: new LenientParser(bytes).parse() };
  } catch (error) {
    if (error instanceof DecodeFailure) return { ok: false, message: error.message };
    throw error;
  }
}

class DecodeFailure extends Error {}

type TokenType =
  | "T_OBJ_BEGIN"
  | "T_OBJ_END"
  | "T_ARR_BEGIN"
  | "T_ARR_END"
  | "T_STRING"
  | "T_NUMBER"
  | "T_BOOLEAN"
  | "T_NULL"
  | "T_COLON"
  | "T_COMMA"
  | "T_END"
  | "T_ERROR";

interface Token {
  readonly type: TokenType;
  /** 0-based byte offset that a message about this token names. */
  readonly index: number;
  /** Decoded value, or the text of a `T_ERROR`. */
  readonly value?: unknown;
}

const PUNCTUATION: Readonly<Record<string, TokenType>> = {
  "{": "T_OBJ_BEGIN",
  "}": "T_OBJ_END",
  "[": "T_ARR_BEGIN",
  "]": "T_ARR_END",
  ":": "T_COLON",
  ",": "T_COMMA",
};

const SCALARS: ReadonlySet<TokenType> = new Set(["T_STRING", "T_NUMBER", "T_BOOLEAN", "T_NULL"]);

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Works on one character per byte, because offsets count bytes; strings are turned back into UTF-8 text. */
class LenientParser {
  readonly #bytes: string;
  #at = 0;
  #depth = 0;

  constructor(bytes: string) {
    this.#bytes = bytes;
  }

  parse(): unknown {
    const value = this.#value(this.#next());
    const end = this.#next();
    if (end.type !== "T_END") this.#refuse("the end", end);
    return value;
  }

  #value(token: Token): unknown {
    if (SCALARS.has(token.type)) return token.value;
    if (token.type === "T_OBJ_BEGIN") return this.#nested(() => this.#object());
    if (token.type === "T_ARR_BEGIN") return this.#nested(() => this.#array());
    return this.#refuse("value", token);
  }

  #nested<TValue>(read: () => TValue): TValue {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new DecodeFailure(`Found too many nested data structures (${this.#depth}) at character ${this.#at}`);
    }
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): Record<string, unknown> {
    const members: [string, unknown][] = [];
    let token = this.#next();
    if (token.type === "T_OBJ_END") return {};
    for (;;) {
      if (token.type !== "T_STRING") this.#refuse("object key string", token);
      const name = String(token.value);
      const colon = this.#next();
      if (colon.type !== "T_COLON") this.#refuse("colon", colon);
      members.push([name, this.#value(this.#next())]);
      token = this.#next();
      // fromEntries defines own properties, so a member called __proto__ is data like any other.
      if (token.type === "T_OBJ_END") return Object.fromEntries(members);
      if (token.type !== "T_COMMA") this.#refuse("comma or object end", token);
      token = this.#next();
    }
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    let token = this.#next();
    if (token.type === "T_ARR_END") return items;
    for (;;) {
      items.push(this.#value(token));
      token = this.#next();
      if (token.type === "T_ARR_END") return items;
      if (token.type !== "T_COMMA") this.#refuse("comma or array end", token);
      token = this.#next();
    }
  }

  #next(): Token {
    while (/[ \t\r\n]/.test(this.#bytes.charAt(this.#at))) this.#at += 1;
    const index = this.#at;
    const char = this.#bytes.charAt(index);
    if (char === "") return { type: "T_END", index };
    const punctuation = Object.hasOwn(PUNCTUATION, char) ? PUNCTUATION[char] : undefined;
    if (punctuation !== undefined) {
      this.#at += 1;
      return { type: punctuation, index };
    }
    if (char === '"') return this.#string();
    return this.#word(index) ?? this.#number(index);
  }

  #word(index: number): Token | undefined {
    const words = [
      ["true", "T_BOOLEAN", true],
      ["false", "T_BOOLEAN", false],
      ["null", "T_NULL", null],
    ] as const;
    for (const [word, type, value] of words) {
      if (!this.#bytes.startsWith(word, index)) continue;
      this.#at += word.length;
      return { type, index, value };
    }
    return undefined;
  }

  #number(index: number): Token {
    const number = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
    number.lastIndex = index;
    const found = number.exec(this.#bytes)?.[0];
    const value = Number(found);
    if (found === undefined) {
      return {
        type: "T_ERROR",
        index,
        value: /[-+]/.test(this.#bytes.charAt(index)) ? "invalid number" : "invalid token",
      };
    }
    if (/[xX]/.test(this.#bytes.charAt(index + found.length)) || !Number.isFinite(value)) {
      return { type: "T_ERROR", index, value: "invalid number" };
    }
    this.#at += found.length;
    return { type: "T_NUMBER", index, value };
  }

  #string(): Token {
    let bytes = "";
    this.#at += 1;
    for (let char = this.#bytes.charAt(this.#at); char !== '"'; char = this.#bytes.charAt(this.#at)) {
      if (char === "" || char === "\0") return this.#error("unexpected end of string");
      const part = char === "\\" ? this.#escape() : this.#plain();
      if (typeof part !== "string") return part;
      bytes += part;
    }
    this.#at += 1;
    return { type: "T_STRING", index: this.#at - 1, value: Buffer.from(bytes, "latin1").toString("utf8") };
  }

  /** The bytes up to the next quote, escape or end. */
  #plain(): string {
    const pattern = /[^"\\\0]+/y;
    pattern.lastIndex = this.#at;
    const bytes = pattern.exec(this.#bytes)?.[0] ?? "";
    this.#at += bytes.length;
    return bytes;
  }

  /** The bytes that the escape at the current place stands for. */
  #escape(): string | Token {
    const code = this.#bytes.charAt(this.#at + 1);
    if (code === "u") return this.#unicodeEscape();
    const char = Object.hasOwn(ESCAPES, code) ? ESCAPES[code] : undefined;
    if (char === undefined) return this.#error("invalid escape code");
    this.#at += 2;
    return char;
  }

  /** A surrogate needs its other half right behind it. */
  #unicodeEscape(): string | Token {
    const pattern =
      /\\u(?:([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|(?![dD][89a-fA-F])([0-9a-fA-F]{4}))/y;
    pattern.lastIndex = this.#at;
    const [found, high = "", low = "", single] = pattern.exec(this.#bytes) ?? [];
    if (found === undefined) return this.#error("invalid unicode escape code");
    this.#at += found.length;
    const codes = single === undefined ? [high, low] : [single];
    const text = String.fromCharCode(...codes.map((hex) => Number.parseInt(hex, 16)));
    return Buffer.from(text, "utf8").toString("latin1");
  }

  #error(value: string): Token {
    return { type: "T_ERROR", index: this.#at, value };
  }

  #refuse(expected: string, found: Token): never {
    const what = found.type === "T_ERROR" ? found.value : found.type;
    throw new DecodeFailure(`Expected ${expected} but found ${what} at character ${found.index + 1}`);
  }
}

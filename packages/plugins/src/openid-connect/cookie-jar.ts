import type { RequestContext } from "@fngate/plugin-kit";
import { removeCookies } from "../shared/cookies.ts";
import type { SessionConfig } from "./session-schema.ts";

/** Browsers keep about 4,096 bytes a cookie, name and attributes included. */
const CHUNK_CHARACTERS = 3500;

/** A browser sends all of them in one field, of which the gateway takes 8 KiB; other cookies have the rest. */
const MAX_CHARACTERS = 7_800;
const MAX_CHUNKS = Math.ceil(MAX_CHARACTERS / CHUNK_CHARACTERS);

const CHUNK = new RegExp(`.{1,${CHUNK_CHARACTERS}}`, "g");

/** Reads and writes a value as the cookies of one configuration. */
export class CookieJar {
  readonly #config: Partial<SessionConfig>;
  readonly #name: string;
  /** Every name that a part of the value may have. */
  readonly #own: ReadonlySet<string>;

  constructor(config: Partial<SessionConfig>) {
    this.#config = config;
    this.#name = config.cookie_name ?? "session";
    this.#own = new Set(Array.from({ length: MAX_CHUNKS }, (_, index) => this.#chunk(index + 1)));
  }

  /** The value; it may be several cookies: `COUNT.BEGINNING`, and the rest under the name with a number behind. */
  read(context: RequestContext): string | undefined {
    const [, count = "", first = ""] = /^([1-9])\.(.+)$/.exec(readCookie(context, this.#name) ?? "") ?? [];
    if (count === "" || Number(count) > MAX_CHUNKS) return undefined;
    const rest = Array.from({ length: Number(count) - 1 }, (_, index) => readCookie(context, this.#chunk(index + 2)));
    return rest.includes(undefined) ? undefined : first + rest.join("");
  }

  /** `Set-Cookie` values that keep a value; nothing when it is too large for cookies. */
  write(context: RequestContext, value: string): string[] | undefined {
    const pieces = value.match(CHUNK) ?? [];
    if (pieces.length === 0 || value.length > MAX_CHARACTERS) return undefined;
    const texts = pieces.map((piece, index) => (index === 0 ? `${pieces.length}.${piece}` : piece));
    const set = texts.map((text, index) => this.#cookie(context, this.#chunk(index + 1), text));
    return [...set, ...this.#clearFrom(context, pieces.length + 1)];
  }

  /** `Set-Cookie` values that make the browser forget a value. */
  clear(context: RequestContext): string[] {
    return this.#clearFrom(context, 1);
  }

  /** Takes the cookies off a request. */
  hide({ request }: RequestContext): void {
    removeCookies(request.headers, this.#own);
  }

  #clearFrom(context: RequestContext, first: number): string[] {
    const cookies: string[] = [];
    for (let index = first; index <= MAX_CHUNKS; index += 1) {
      const chunk = this.#chunk(index);
      if (readCookie(context, chunk) !== undefined) cookies.push(`${this.#cookie(context, chunk, "")}; Max-Age=0`);
    }
    return cookies;
  }

  #cookie({ request }: RequestContext, name: string, value: string): string {
    const { cookie_domain: domain, cookie_path: path = "/", cookie_same_site: site = "Lax" } = this.#config;
    const { cookie_http_only: isHttpOnly = true } = this.#config;
    const isSecure = this.#config.cookie_secure ?? request.headers.get("x-forwarded-proto") === "https";
    const attributes = [
      `Path=${path}`,
      ...(domain === undefined ? [] : [`Domain=${domain}`]),
      ...(site === "Default" ? [] : [`SameSite=${site}`]),
      ...(isSecure ? ["Secure"] : []),
      ...(isHttpOnly ? ["HttpOnly"] : []),
    ];
    return [`${name}=${value}`, ...attributes].join("; ");
  }

  #chunk(number: number): string {
    return number === 1 ? this.#name : `${this.#name}${number}`;
  }
}

function readCookie({ variables }: RequestContext, name: string): string | undefined {
  const value = variables.get(`cookie_${name}`);
  return typeof value === "string" && value !== "" ? value : undefined;
}

import type { RequestContext } from "@fngate/plugin-kit";
import type { SessionConfig } from "./session-schema.ts";

/** Browsers keep about 4,096 bytes a cookie, name and attributes included. */
const CHUNK_CHARACTERS = 3500;

/** Together they stay below what the gateway takes as a request's head. */
const MAX_CHUNKS = 6;

/** Reads and writes the cookies of one configuration. */
export class CookieJar {
  readonly #config: Partial<SessionConfig>;
  readonly name: string;

  constructor(config: Partial<SessionConfig>) {
    this.#config = config;
    this.name = config.cookie_name ?? "session";
  }

  /** A value that is one cookie. */
  read({ variables }: RequestContext, name: string): string | undefined {
    const value = variables.get(`cookie_${name}`);
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  /** A value that may be several cookies: `COUNT.BEGINNING`, and the rest under the name with a number behind. */
  readChunked(context: RequestContext, name: string): string | undefined {
    const [, count = "", first = ""] = /^([1-9])\.(.+)$/.exec(this.read(context, name) ?? "") ?? [];
    if (count === "" || Number(count) > MAX_CHUNKS) return undefined;
    const rest = Array.from({ length: Number(count) - 1 }, (_, index) =>
      this.read(context, chunkName(name, index + 2)),
    );
    return rest.includes(undefined) ? undefined : first + rest.join("");
  }

  /** `Set-Cookie` values that keep a value; nothing when it is too large for cookies. */
  write(context: RequestContext, name: string, value: string): string[] | undefined {
    const pieces = value.match(new RegExp(`.{1,${CHUNK_CHARACTERS}}`, "g")) ?? [];
    if (pieces.length === 0 || pieces.length > MAX_CHUNKS) return undefined;
    const texts = pieces.map((piece, index) => (index === 0 ? `${pieces.length}.${piece}` : piece));
    const set = texts.map((text, index) => this.#cookie(context, chunkName(name, index + 1), text));
    return [...set, ...this.#clearFrom(context, name, pieces.length + 1)];
  }

  /** One `Set-Cookie` value for a small value. */
  writeOne(context: RequestContext, name: string, value: string): string {
    return this.#cookie(context, name, value);
  }

  /** `Set-Cookie` values that make the browser forget a value. */
  clear(context: RequestContext, name: string): string[] {
    return this.#clearFrom(context, name, 1);
  }

  /** Takes the cookies off the request: they are nobody's business but the gateway's. */
  hide({ request }: RequestContext, names: readonly string[]): void {
    const all = request.headers.getAll("cookie");
    if (all.length === 0) return;
    const own = new Set(
      names.flatMap((name) => Array.from({ length: MAX_CHUNKS }, (_, index) => chunkName(name, index + 1))),
    );
    const pairs = all.flatMap((value) => value.split(";")).map((pair) => pair.trim());
    const kept = pairs.filter((pair) => pair !== "" && !own.has(pair.split("=", 1)[0]?.trim() ?? ""));
    if (kept.length === pairs.length) return;
    if (kept.length === 0) request.headers.delete("cookie");
    else request.headers.set("Cookie", kept.join("; "));
  }

  #clearFrom(context: RequestContext, name: string, first: number): string[] {
    const cookies: string[] = [];
    for (let index = first; index <= MAX_CHUNKS; index += 1) {
      const chunk = chunkName(name, index);
      if (this.read(context, chunk) !== undefined) cookies.push(`${this.#cookie(context, chunk, "")}; Max-Age=0`);
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
}

function chunkName(name: string, number: number): string {
  return number === 1 ? name : `${name}${number}`;
}

/** An answer, as a browser gets it. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** `Set-Cookie` values of this answer alone. */
  readonly cookies: readonly string[];
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** A form to send, or how a request differs from a plain one. */
export interface Visit {
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** More redirects than any login takes. */
const MAX_REDIRECTS = 20;

/** What of a browser a login needs: it keeps cookies, by origin and path, and follows redirects. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, Cookie>>();

  /** One request, without following where it leads. */
  async visit(url: string, { form, headers = {} }: Visit = {}): Promise<Page> {
    const answer = await fetch(url, {
      method: form === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: { ...headers, cookie: this.cookiesFor(url) },
      ...(form !== undefined && { body: new URLSearchParams(form) }),
    });
    const cookies = answer.headers.getSetCookie();
    for (const cookie of cookies) this.#keep(url, cookie);
    return { url, status: answer.status, headers: answer.headers, body: await answer.text(), cookies };
  }

  /** Follows redirects until something else comes, or until `isThere` says so of an address. */
  async follow(page: Page, isThere: (url: string) => boolean = () => false): Promise<Page> {
    let current = page;
    for (let count = 0; count < MAX_REDIRECTS; count += 1) {
      const location = current.headers.get("location");
      if (current.status < 300 || current.status > 399 || location === null) return current;
      const next = new URL(location, current.url).href;
      if (isThere(next)) return current;
      current = await this.visit(next);
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects from ${page.url}`);
  }

  /** The field `Cookie` of a request for an address. */
  cookiesFor(url: string): string {
    const { origin, pathname } = new URL(url);
    const cookies = [...(this.#cookies.get(origin)?.values() ?? [])].filter(({ path }) => pathname.startsWith(path));
    return cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  #keep(url: string, text: string): void {
    const { origin } = new URL(url);
    const [pair = "", ...attributes] = text.split(";").map((part) => part.trim());
    const [name = "", ...value] = pair.split("=");
    const find = (attribute: string) =>
      attributes.find((part) => part.toLowerCase().startsWith(`${attribute}=`))?.slice(attribute.length + 1);
    const path = find("path") ?? "/";
    const isOver = find("max-age") === "0" || Date.parse(find("expires") ?? "") <= Date.now();
    const kept = this.#cookies.get(origin) ?? new Map<string, Cookie>();
    this.#cookies.set(origin, kept);
    if (isOver) kept.delete(`${path} ${name}`);
    else kept.set(`${path} ${name}`, { name, value: value.join("="), path });
  }
}

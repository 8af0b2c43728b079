import type { RequestContext } from "@fngate/plugin-kit";
import type { CookieJar } from "./cookie-jar.ts";
import type { Login } from "./flows.ts";
import type { Sealer } from "./sealer.ts";
import type { StoredSession } from "./sessions.ts";

/** What a browser keeps for the gateway. */
export interface Kept {
  readonly login?: Login | undefined;
  readonly session?: StoredSession | undefined;
}

/** One sealed cookie, or several where it is large, in which a browser keeps all that there is to keep. */
export class Cabinet {
  readonly #sealer: Sealer<Kept>;
  readonly #jar: CookieJar;

  constructor(sealer: Sealer<Kept>, jar: CookieJar) {
    this.#sealer = sealer;
    this.#jar = jar;
  }

  /** What the browser of a request keeps; empty where it keeps nothing that this gateway gave it. */
  async read(context: RequestContext): Promise<Kept> {
    const text = this.#jar.read(context);
    return (text === undefined ? undefined : await this.#sealer.open(text)) ?? {};
  }

  /** `Set-Cookie` values that have it keep something in place of what it kept; nothing when that is too large. */
  async write(context: RequestContext, kept: Kept): Promise<readonly string[] | undefined> {
    return this.#jar.write(context, await this.#sealer.seal(kept));
  }

  /** `Set-Cookie` values that have it forget everything. */
  clear(context: RequestContext): readonly string[] {
    return this.#jar.clear(context);
  }

  /** Takes the cookies off a request: they are nobody's business but the gateway's. */
  hide(context: RequestContext): void {
    this.#jar.hide(context);
  }
}

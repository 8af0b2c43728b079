import { randomBytes } from "node:crypto";
import type { Clock } from "@fngate/kernel";
import type { RequestContext } from "@fngate/plugin-kit";
import { isSameSecret } from "../shared/same-secret.ts";
import type { CookieJar } from "./cookie-jar.ts";
import type { Sealer } from "./sealer.ts";

/** How long a login may take, seconds. */
const LOGIN_SECONDS = 3600;

/** How often in a row a login that went wrong at the provider begins again on its own. */
const MAX_RESTARTS = 3;

/** A browser that is logging in; it keeps this in a cookie, whatever the number of its windows. */
export interface Login {
  /** What makes its `state` worth nothing in another browser. */
  readonly browser: string;
  /** What it asked for last. */
  readonly target: string;
  readonly restarts: number;
}

/** One login that is under way; the browser carries it to the provider and back as `state`. */
export interface Flow {
  readonly browser: string;
  /** What was asked for. */
  readonly target: string;
  readonly verifier: string | undefined;
  readonly nonce: string | undefined;
  /** The provider may not ask the caller anything: it is about a session that there is. */
  readonly isSilent: boolean;
}

/** A {@link Flow} as it is sealed. */
export interface StoredFlow extends Flow {
  readonly until: number;
}

/** What {@link Flows} is made of. */
export interface FlowParts {
  readonly logins: Sealer<Login>;
  readonly states: Sealer<StoredFlow>;
  readonly jar: CookieJar;
  readonly clock: Clock;
}

/** Logins that are under way. The gateway keeps nothing of them. */
export class Flows {
  readonly #parts: FlowParts;
  readonly cookieName: string;

  constructor(parts: FlowParts) {
    this.#parts = parts;
    this.cookieName = `${parts.jar.name}_login`;
  }

  /** Begins one in a browser that may have begun others; the cookie that it is to keep. */
  async begin(context: RequestContext, target: string): Promise<{ readonly login: Login; readonly cookie: string }> {
    const known = await this.read(context);
    const browser = known?.browser ?? randomBytes(16).toString("base64url");
    const login = { browser, target, restarts: known?.restarts ?? 0 };
    return { login, cookie: await this.#cookie(context, login) };
  }

  /** What the browser says that it is about. */
  async read(context: RequestContext): Promise<Login | undefined> {
    const text = this.#parts.jar.read(context, this.cookieName);
    return text === undefined ? undefined : this.#parts.logins.open(text);
  }

  /** A flow as `state`. */
  state(flow: Flow): Promise<string> {
    return this.#parts.states.seal({ ...flow, until: this.#now() + LOGIN_SECONDS });
  }

  /** The flow of a `state`, if this browser began it and not too long ago. */
  async resume(login: Login, state: string): Promise<Flow | undefined> {
    const flow = await this.#parts.states.open(state);
    if (flow === undefined || flow.until < this.#now()) return undefined;
    return isSameSecret(flow.browser, login.browser) ? flow : undefined;
  }

  /** The cookie of a login that begins again; nothing when it did so too often. */
  async restart(context: RequestContext, login: Login): Promise<string | undefined> {
    if (login.restarts >= MAX_RESTARTS) return undefined;
    return this.#cookie(context, { ...login, restarts: login.restarts + 1 });
  }

  /** `Set-Cookie` values when somebody has logged in; other windows of the browser may be on their way yet. */
  async end(context: RequestContext, login: Login): Promise<string[]> {
    return login.restarts === 0 ? [] : [await this.#cookie(context, { ...login, restarts: 0 })];
  }

  async #cookie(context: RequestContext, login: Login): Promise<string> {
    return this.#parts.jar.writeOne(context, this.cookieName, await this.#parts.logins.seal(login));
  }

  #now(): number {
    return Math.floor(this.#parts.clock.now() / 1000);
  }
}

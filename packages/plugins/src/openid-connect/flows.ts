import { randomBytes } from "node:crypto";
import type { Clock } from "@fngate/kernel";
import { isSameSecret } from "../shared/same-secret.ts";
import type { Sealer } from "./sealer.ts";

/** How long a login may take, seconds. */
const LOGIN_SECONDS = 3600;

/** How often in a row a login that went wrong at the provider begins again on its own. */
const MAX_RESTARTS = 3;

/** A browser that is logging in, whatever the number of its windows. */
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

/** Logins that are under way. The gateway keeps nothing of them. */
export class Flows {
  readonly #sealer: Sealer<StoredFlow>;
  readonly #clock: Clock;

  constructor(sealer: Sealer<StoredFlow>, clock: Clock) {
    this.#sealer = sealer;
    this.#clock = clock;
  }

  /** A login of a browser that may have begun others. */
  begin(known: Login | undefined, target: string): Login {
    const browser = known?.browser ?? randomBytes(16).toString("base64url");
    return { browser, target, restarts: known?.restarts ?? 0 };
  }

  /** A flow as `state`. */
  state(flow: Flow): Promise<string> {
    return this.#sealer.seal({ ...flow, until: this.#now() + LOGIN_SECONDS });
  }

  /** The flow of a `state`, if this browser began it and not too long ago. */
  async resume(login: Login, state: string): Promise<Flow | undefined> {
    const flow = await this.#sealer.open(state);
    if (flow === undefined || flow.until < this.#now()) return undefined;
    return isSameSecret(flow.browser, login.browser) ? flow : undefined;
  }

  /** A login that begins again; nothing when it did so too often. */
  restart(login: Login): Login | undefined {
    return login.restarts >= MAX_RESTARTS ? undefined : { ...login, restarts: login.restarts + 1 };
  }

  /** What stays of a login that is done; other windows of the browser may be on their way yet. */
  end(login: Login): Login {
    return { ...login, restarts: 0 };
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

import type { Clock } from "@fngate/kernel";
import type { RequestContext } from "@fngate/plugin-kit";
import type { CookieJar } from "./cookie-jar.ts";
import type { Sealer } from "./sealer.ts";
import type { SessionConfig } from "./session-schema.ts";

/** What a session remembers. Times are whole seconds since the epoch. */
export interface Session {
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** As it was signed. */
  readonly idToken: string | undefined;
  readonly scope: string | undefined;
  /** What the provider tells of the caller. */
  readonly user: Readonly<Record<string, unknown>> | undefined;
  readonly accessExpiresAt: number | undefined;
  /** When the provider last said who it is. */
  readonly authenticatedAt: number;
}

/** A session as it is sealed. */
export interface StoredSession extends Session {
  readonly createdAt: number;
  readonly changedAt: number;
  readonly usedAt: number;
}

/** A session is written again when a quarter of its idle time is over, or the last of its rolling time begins. */
const TOUCH_PART = 4;

/** Sessions in the cookies of their browsers. */
export class Sessions {
  readonly #sealer: Sealer<StoredSession>;
  readonly #jar: CookieJar;
  readonly #clock: Clock;
  readonly #limits: Limits;

  constructor(config: Partial<SessionConfig>, parts: { sealer: Sealer<StoredSession>; jar: CookieJar; clock: Clock }) {
    this.#sealer = parts.sealer;
    this.#jar = parts.jar;
    this.#clock = parts.clock;
    this.#limits = {
      idling: config.idling_timeout ?? 900,
      rolling: config.rolling_timeout ?? 3600,
      absolute: config.absolute_timeout ?? config.cookie?.lifetime ?? 86_400,
    };
  }

  /** Seconds since the epoch. */
  now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  /** The session of whoever calls; nothing when there is none or it has ended. */
  async read(context: RequestContext): Promise<StoredSession | undefined> {
    const text = this.#jar.readChunked(context, this.#jar.name);
    const session = text === undefined ? undefined : await this.#sealer.open(text);
    return session !== undefined && isAlive(session, this.#limits, this.now()) ? session : undefined;
  }

  /** `Set-Cookie` values that begin or change a session; nothing when it is too large. */
  async write(context: RequestContext, session: Session, begun?: StoredSession): Promise<string[] | undefined> {
    const now = this.now();
    const stored = { ...session, createdAt: begun?.createdAt ?? now, changedAt: now, usedAt: now };
    return this.#jar.write(context, this.#jar.name, await this.#sealer.seal(stored));
  }

  /** `Set-Cookie` values that say that a session is in use, when it is time to. */
  async touch(context: RequestContext, session: StoredSession): Promise<string[]> {
    const now = this.now();
    const { idling, rolling } = this.#limits;
    const isIdle = idling !== 0 && now - session.usedAt >= idling / TOUCH_PART;
    const isLate = rolling !== 0 && now - session.changedAt >= rolling - rolling / TOUCH_PART;
    if (!isIdle && !isLate) return [];
    const text = await this.#sealer.seal({ ...session, usedAt: now, changedAt: isLate ? now : session.changedAt });
    return this.#jar.write(context, this.#jar.name, text) ?? [];
  }

  /** `Set-Cookie` values that end a session. */
  end(context: RequestContext): string[] {
    return this.#jar.clear(context, this.#jar.name);
  }
}

/** Seconds; 0: none. */
interface Limits {
  readonly idling: number;
  readonly rolling: number;
  readonly absolute: number;
}

function isAlive({ changedAt, createdAt, usedAt }: StoredSession, limits: Limits, now: number): boolean {
  const isWithin = (since: number, limit: number) => limit === 0 || now - since < limit;
  return isWithin(usedAt, limits.idling) && isWithin(changedAt, limits.rolling) && isWithin(createdAt, limits.absolute);
}

import type { Clock } from "@fngate/kernel";
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

/** Says when sessions end. */
export class Sessions {
  readonly #clock: Clock;
  readonly #limits: Limits;

  constructor(config: Partial<SessionConfig>, clock: Clock) {
    this.#clock = clock;
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

  /** The session itself, unless it has ended. */
  alive(session: StoredSession | undefined): StoredSession | undefined {
    return session !== undefined && isAlive(session, this.#limits, this.now()) ? session : undefined;
  }

  /** A session that begins, or goes on as another did. */
  begin(session: Session, before?: StoredSession): StoredSession {
    const now = this.now();
    return { ...session, createdAt: before?.createdAt ?? now, changedAt: now, usedAt: now };
  }

  /** A session that is in use, when it is time to say so. */
  touch(session: StoredSession): StoredSession | undefined {
    const now = this.now();
    const { idling, rolling } = this.#limits;
    const isIdle = idling !== 0 && now - session.usedAt >= idling / TOUCH_PART;
    const isLate = rolling !== 0 && now - session.changedAt >= rolling - rolling / TOUCH_PART;
    if (!isIdle && !isLate) return undefined;
    return { ...session, usedAt: now, changedAt: isLate ? now : session.changedAt };
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

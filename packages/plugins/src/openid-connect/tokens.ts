import { hash } from "node:crypto";
import { messageOf } from "@fngate/kernel";
import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from "openid-client";
import { BoundedMap } from "../shared/bounded-map.ts";
import { jose } from "../shared/jose.ts";
import { verifyIdToken } from "./id-token.ts";
import { openidClient } from "./libraries.ts";
import type { RelyingParty } from "./relying-party.ts";
import type { Session } from "./sessions.ts";

type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers;

/** Seconds that an access token holds that does not say (APISIX: `access_token_expires_in`). */
const DEFAULT_EXPIRY = 3600;

/** How many renewals are remembered, for requests that come with the old session yet. */
const MAX_RENEWALS = 1000;

/** How long they are: a refresh token may stay the same, and be asked for the next access token. */
const RENEWAL_SECONDS = 60;

/** A renewal that is under way, or is done since a moment. */
interface Renewal {
  readonly result: Promise<Session | undefined>;
  /** Seconds since the epoch; absent: it is under way. */
  until: number | undefined;
}

/**
 * Makes a session of what the provider answered to a code. Rejects when the ID token's signature does not hold or the
 * provider cannot be asked about the caller.
 */
export async function sessionOf(tokens: Tokens, party: RelyingParty): Promise<Session> {
  await verifyIdToken(tokens.id_token, party);
  const session = { ...tokenPart(tokens, party), authenticatedAt: party.sessions.now() };
  return { ...session, user: await userOf(tokens, party) };
}

/** Renews access tokens; requests that come at once with one session share a renewal. */
export class Renewals {
  readonly #party: RelyingParty;
  readonly #recent = new BoundedMap<string, Renewal>(MAX_RENEWALS);

  constructor(party: RelyingParty) {
    this.#party = party;
  }

  /** The session with new tokens; nothing when the provider gives none. */
  renew(session: Session): Promise<Session | undefined> {
    if (session.refreshToken === undefined) return Promise.resolve(undefined);
    // A refresh token may be good once only: whoever comes with it again gets what it gave.
    const key = hash("sha256", session.refreshToken);
    const recent = this.#recent.get(key);
    if (recent !== undefined && (recent.until ?? Number.POSITIVE_INFINITY) > this.#party.sessions.now()) {
      return recent.result;
    }
    const renewal: Renewal = { result: this.#renew(session, session.refreshToken), until: undefined };
    this.#recent.set(key, renewal);
    return renewal.result.then((renewed) => {
      const end = this.#party.sessions.now() + RENEWAL_SECONDS;
      renewal.until = renewed === undefined ? 0 : Math.min(end, renewed.accessExpiresAt ?? end);
      return renewed;
    });
  }

  async #renew(session: Session, refreshToken: string): Promise<Session | undefined> {
    const { logger, provider } = this.#party;
    try {
      const client = await provider.client();
      const tokens = await openidClient().refreshTokenGrant(client, refreshToken, {}, await this.#party.proof());
      await verifyIdToken(tokens.id_token, this.#party);
      const renewed = tokenPart(tokens, this.#party);
      return {
        ...session,
        ...renewed,
        refreshToken: renewed.refreshToken ?? session.refreshToken,
        idToken: renewed.idToken ?? session.idToken,
        scope: renewed.scope ?? session.scope,
      };
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, "an access token could not be renewed");
      return undefined;
    }
  }
}

/** The claims of a token that was verified before, or that nothing depends on; nothing when it is no JWT. */
export function claimsOf(token: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (token === undefined) return undefined;
  try {
    return jose().decodeJwt(token);
  } catch {
    return undefined;
  }
}

function tokenPart(tokens: Tokens, { config, sessions }: RelyingParty) {
  const lifetime = tokens.expiresIn() ?? config.access_token_expires_in ?? DEFAULT_EXPIRY;
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    idToken: tokens.id_token,
    scope: tokens.scope,
    accessExpiresAt: sessions.now() + lifetime,
  };
}

async function userOf(tokens: Tokens, party: RelyingParty): Promise<Session["user"]> {
  const { config, provider } = party;
  const client = await provider.client();
  const isWanted = config.set_userinfo_header || config.claim_schema !== undefined;
  if (!isWanted || client.serverMetadata().userinfo_endpoint === undefined) return undefined;
  const library = openidClient();
  const subject = tokens.claims()?.sub ?? library.skipSubjectCheck;
  return library.fetchUserInfo(client, tokens.access_token, subject, await party.proof());
}

import { isGatewayError, messageOf } from "@fngate/kernel";
import type { PhaseResult, PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { findBearerToken } from "./bearer-token.ts";
import type { Kept } from "./cabinet.ts";
import { endLogin } from "./callback.ts";
import { type ClaimChecks, compileClaimChecks } from "./claim-checks.ts";
import { clearIdentity, tellAccessToken, tellSession, tellUser } from "./identity-fields.ts";
import { beginLogin } from "./login.ts";
import { logOut } from "./logout.ts";
import { unauthorized } from "./refusals.ts";
import { RelyingParty } from "./relying-party.ts";
import { isAt, redirectUriOf } from "./request-place.ts";
import type { OpenidConnectConfig } from "./schema.ts";
import type { Session, StoredSession } from "./sessions.ts";
import { TokenVerifier } from "./token-verifier.ts";
import { Renewals } from "./tokens.ts";

/** Sets up one configuration: requests with a token or a session go on, others are sent to the provider. */
export function authenticateAtProvider(config: OpenidConnectConfig, deps: PluginDeps): PluginInstance {
  const plugin = new OpenidConnect(config, deps);
  return {
    rewrite: (context) => plugin.authenticate(context),
    headerFilter: (context) => {
      for (const cookie of plugin.cookiesFor(context)) context.response.headers.append("Set-Cookie", cookie);
      return undefined;
    },
  };
}

class OpenidConnect {
  readonly #config: OpenidConnectConfig;
  readonly #party: RelyingParty;
  readonly #verifier: TokenVerifier;
  readonly #renewals: Renewals;
  readonly #checks: ClaimChecks;
  /** Of requests that went on with a session that changed. */
  readonly #cookies = new WeakMap<RequestContext, readonly string[]>();

  constructor(config: OpenidConnectConfig, deps: PluginDeps) {
    this.#config = config;
    this.#party = new RelyingParty(config, deps);
    this.#verifier = new TokenVerifier(config, { clock: deps.clock, provider: this.#party.provider });
    this.#renewals = new Renewals(this.#party);
    this.#checks = compileClaimChecks(config);
  }

  /** What the answer to a request sets. */
  cookiesFor(context: RequestContext): readonly string[] {
    return this.#cookies.get(context) ?? [];
  }

  async authenticate(context: RequestContext): Promise<PhaseResult> {
    const { bearer_only, introspection_endpoint, public_key, use_jwks } = this.#config;
    const { headers } = context.request;
    const offered = headers.get("x-access-token");
    clearIdentity(headers);
    if (bearer_only || introspection_endpoint !== undefined || public_key !== undefined || use_jwks) {
      const token = findBearerToken(context, offered);
      if (token === "malformed") return { kind: "reply", status: 400 };
      if (token !== undefined) return this.#byToken(context, token.text);
      if (bearer_only) return unauthorized(this.#config.realm);
    }
    return this.#bySession(context);
  }

  async #byToken(context: RequestContext, token: string): Promise<PhaseResult> {
    const { headers } = context.request;
    try {
      const claims = await this.#verifier.verify(context, token);
      const refusal = this.#checks.token(claims);
      if (refusal !== undefined) return refusal;
      tellAccessToken(headers, token, this.#config);
      tellUser(headers, claims, this.#config);
      return undefined;
    } catch (error) {
      const problem = messageOf(error);
      this.#party.logger.warn({ problem }, "token refused");
      // Where the gateway's own calls go is not the client's business.
      return unauthorized(this.#config.realm, isGatewayError(error) ? "token validation unavailable" : problem);
    }
  }

  async #bySession(context: RequestContext): Promise<PhaseResult> {
    const { cabinet, sessions } = this.#party;
    const kept = await cabinet.read(context);
    const redirectUri = redirectUriOf(context, this.#config.redirect_uri);
    if (isAt(context, redirectUri)) return endLogin(context, { kept, redirectUri }, this.#party);
    const session = sessions.alive(kept.session);
    if (context.request.path === this.#config.logout_path) return logOut(context, session, this.#party);
    const current = session && (await this.#current(context, session, kept));
    if (current === undefined) return this.#unauthenticated(context, kept);
    if (this.#isDue(current)) return beginLogin(context, { kept, isSilent: true }, this.#party);
    const refusal = this.#checks.session(current);
    if (refusal !== undefined) return refusal;
    cabinet.hide(context);
    tellSession(context.request.headers, current, this.#config);
    return undefined;
  }

  #unauthenticated(context: RequestContext, kept: Kept): PhaseResult | Promise<PhaseResult> {
    const { unauth_action: action } = this.#config;
    if (action === "auth") return beginLogin(context, { kept, isSilent: false }, this.#party);
    if (action === "deny") return { kind: "reply", status: 401 };
    this.#party.cabinet.hide(context);
    return undefined;
  }

  /** The session with tokens that hold; nothing when they do not and cannot be renewed. */
  async #current(context: RequestContext, session: StoredSession, { login }: Kept): Promise<Session | undefined> {
    const { cabinet, sessions } = this.#party;
    const { access_token_expires_leeway: leeway, renew_access_token_on_expiry: isRenewed } = this.#config;
    const { accessExpiresAt: expiresAt = Number.POSITIVE_INFINITY } = session;
    const isExpired = expiresAt - leeway <= sessions.now();
    if (!isExpired) {
      const touched = sessions.touch(session);
      if (touched !== undefined) {
        this.#cookies.set(context, (await cabinet.write(context, { login, session: touched })) ?? []);
      }
      return session;
    }
    const renewed = isRenewed ? await this.#renewals.renew(session) : undefined;
    // Another process may have used the refresh token up: the browser brings what that one gave with its next request.
    if (renewed === undefined) return isRenewed && expiresAt > sessions.now() ? session : undefined;
    const cookies = await cabinet.write(context, { login, session: sessions.begin(renewed, session) });
    if (cookies === undefined) return undefined;
    this.#cookies.set(context, cookies);
    return renewed;
  }

  /** Whether the provider is to say again who it is. */
  #isDue(session: Session): boolean {
    const { refresh_session_interval: interval, unauth_action: action } = this.#config;
    if (interval === undefined || action !== "auth") return false;
    return this.#party.sessions.now() - session.authenticatedAt > interval;
  }
}

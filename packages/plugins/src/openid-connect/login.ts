import { messageOf } from "@fngate/kernel";
import type { Reply, RequestContext } from "@fngate/plugin-kit";
import type { Configuration } from "openid-client";
import type { Kept } from "./cabinet.ts";
import { openidClient } from "./libraries.ts";
import type { RelyingParty } from "./relying-party.ts";
import { redirectUriOf, targetOf } from "./request-place.ts";

/** How a login begins. */
export interface LoginStart {
  readonly kept: Kept;
  /** The provider may not ask the caller anything: there is a session, which stays meanwhile. */
  readonly isSilent: boolean;
}

/** Sends whoever calls to the provider, to come back to what was asked for. */
export async function beginLogin(context: RequestContext, start: LoginStart, party: RelyingParty): Promise<Reply> {
  const { cabinet, config, flows, logger, provider } = party;
  const { isSilent, kept } = start;
  let client: Configuration;
  try {
    client = await provider.client();
  } catch (error) {
    logger.error({ reason: messageOf(error) }, "nobody can log in: the OpenID provider cannot be asked");
    return { kind: "reply", status: 500 };
  }
  const login = flows.begin(kept.login, targetOf(context));
  const cookies = await cabinet.write(context, { login, ...(isSilent && { session: kept.session }) });
  const library = openidClient();
  const verifier = config.use_pkce ? library.randomPKCECodeVerifier() : undefined;
  const nonce = config.use_nonce ? library.randomNonce() : undefined;
  const state = await flows.state({ browser: login.browser, target: login.target, verifier, nonce, isSilent });
  const parameters = {
    ...textsOf(config.authorization_params),
    response_type: "code",
    scope: config.scope,
    redirect_uri: redirectUriOf(context, config.redirect_uri),
    state,
    ...(nonce !== undefined && { nonce }),
    ...(isSilent && { prompt: "none" }),
    ...(verifier !== undefined && {
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    }),
  };
  const url = await authorizationUrl(client, parameters, party);
  return url === undefined ? { kind: "reply", status: 500 } : redirect(url.href, cookies ?? []);
}

async function authorizationUrl(client: Configuration, parameters: Record<string, string>, party: RelyingParty) {
  const { config, logger } = party;
  try {
    if (config.par?.enabled !== true) return openidClient().buildAuthorizationUrl(client, parameters);
    const pusher = await party.provider.pusher();
    return await openidClient().buildAuthorizationUrlWithPAR(pusher, parameters, await party.proof());
  } catch (error) {
    logger.error({ reason: messageOf(error) }, "nobody can log in: the OpenID provider takes no request for it");
    return undefined;
  }
}

/** A redirect that nobody keeps. */
export function redirect(location: string, cookies: readonly string[]): Reply {
  const headers = ["Location", location, ...privateFields(cookies)];
  return { kind: "reply", status: 302, headers };
}

/** Fields of an answer that sets cookies and that nobody keeps. */
export function privateFields(cookies: readonly string[]): readonly string[] {
  return ["Cache-Control", "no-store", ...cookies.flatMap((cookie) => ["Set-Cookie", cookie])];
}

function textsOf(parameters: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}

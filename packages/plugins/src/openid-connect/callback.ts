import { messageOf } from "@fngate/kernel";
import type { Reply, RequestContext } from "@fngate/plugin-kit";
import type { Kept } from "./cabinet.ts";
import type { Flow, Login } from "./flows.ts";
import { openidClient } from "./libraries.ts";
import { redirect } from "./login.ts";
import type { RelyingParty } from "./relying-party.ts";
import { sessionOf } from "./tokens.ts";

/** APISIX answers so whatever went wrong with a login. */
const FAILED: Reply = { kind: "reply", status: 500 };

/** What the provider's answer is to be read with. */
export interface LoginAnswer {
  readonly kept: Kept;
  /** Whole address that the provider was told. */
  readonly redirectUri: string;
}

/** Ends a login: the provider sent the caller back, with a code or with what went wrong. */
export async function endLogin(context: RequestContext, answered: LoginAnswer, party: RelyingParty): Promise<Reply> {
  const { cabinet, flows, logger } = party;
  const { kept, redirectUri } = answered;
  const { login } = kept;
  const fail = (problem: string): Reply => {
    logger.error({ problem }, "a login failed");
    return FAILED;
  };
  if (login === undefined) return fail("the browser began none");
  if (context.request.method !== "GET") return fail("the provider's answer came with another method than GET");
  const answer = new URLSearchParams(context.request.query);
  const state = answer.get("state") ?? "";
  const flow = await flows.resume(login, state);
  const error = answer.get("error");
  if (error !== null) {
    // Without a session the caller is asked.
    if (flow?.isSilent === true) return redirect(flow.target, (await cabinet.write(context, { login })) ?? []);
    const isPassing = error === "temporarily_unavailable" && flow !== undefined;
    if (!isPassing) return fail("the provider refused it");
    return restart(context, { kept, target: flow.target, reason: "the provider is temporarily unavailable" }, party);
  }
  if (!answer.has("code")) return fail("the provider's answer has no code");
  if (flow === undefined)
    return restart(context, { kept, target: login.target, reason: "no login has its state" }, party);
  const url = new URL(redirectUri);
  url.search = context.request.query;
  try {
    return await exchange(context, { flow, login, state, url }, party);
  } catch (problem) {
    return fail(messageOf(problem));
  }
}

interface Exchange {
  readonly flow: Flow;
  readonly login: Login;
  readonly state: string;
  readonly url: URL;
}

/** Has the code exchanged for tokens, and begins a session with them. */
async function exchange(context: RequestContext, parts: Exchange, party: RelyingParty): Promise<Reply> {
  const { flow, login, state, url } = parts;
  const { cabinet, flows, logger, provider, sessions } = party;
  const checks = {
    expectedState: state,
    ...(flow.nonce !== undefined && { expectedNonce: flow.nonce }),
    ...(flow.verifier !== undefined && { pkceCodeVerifier: flow.verifier }),
  };
  const client = await provider.client();
  const tokens = await openidClient().authorizationCodeGrant(client, url, checks, {}, await party.proof());
  const session = sessions.begin(await sessionOf(tokens, party));
  const cookies = await cabinet.write(context, { login: flows.end(login), session });
  if (cookies === undefined) {
    logger.error({}, "a login failed: the session is too large for cookies");
    return FAILED;
  }
  return redirect(flow.target, cookies);
}

interface Restart {
  readonly kept: Kept;
  readonly target: string;
  readonly reason: string;
}

/** The browser asks once more for what it wanted, and so begins another login; not without end. */
async function restart(
  context: RequestContext,
  { kept, reason, target }: Restart,
  party: RelyingParty,
): Promise<Reply> {
  const login = kept.login && party.flows.restart(kept.login);
  if (login === undefined) {
    party.logger.error({}, "a login failed again and again");
    return FAILED;
  }
  party.logger.warn({ reason }, "a login begins again");
  return redirect(target, (await party.cabinet.write(context, { ...kept, login })) ?? []);
}

import { messageOf } from "@fngate/kernel";
import type { Reply, RequestContext } from "@fngate/plugin-kit";
import type { ServerMetadata } from "openid-client";
import { openidClient } from "./libraries.ts";
import { privateFields, redirect } from "./login.ts";
import type { RelyingParty } from "./relying-party.ts";
import type { Session } from "./sessions.ts";

/** Ends the session of whoever calls, here and at the provider. */
export async function logOut(
  context: RequestContext,
  session: Session | undefined,
  party: RelyingParty,
): Promise<Reply> {
  const { cabinet, config, logger } = party;
  let metadata: ServerMetadata;
  try {
    metadata = await party.provider.metadata();
  } catch (error) {
    logger.error({ reason: messageOf(error) }, "nobody can log out: the OpenID provider cannot be asked");
    return { kind: "reply", status: 503 };
  }
  if (config.revoke_tokens_on_logout && session !== undefined) await revoke(session, party);
  const cookies = cabinet.clear(context);
  const { post_logout_redirect_uri: after } = config;
  const place = metadata.end_session_endpoint ?? after;
  if (place !== undefined && URL.canParse(place)) return redirect(farewell(place, { session, after, party }), cookies);
  const headers = ["Content-Type", "text/html", ...privateFields(cookies)];
  return { kind: "reply", status: 200, headers, body: "<html><body>Logged Out</body></html>" };
}

interface Farewell {
  readonly session: Session | undefined;
  readonly after: string | undefined;
  readonly party: RelyingParty;
}

/** Where callers go who have logged out (OpenID Connect RP-Initiated Logout 1.0, 2). */
function farewell(place: string, { after, party, session }: Farewell): string {
  const url = new URL(place);
  if (session?.idToken !== undefined) url.searchParams.set("id_token_hint", session.idToken);
  else url.searchParams.set("client_id", party.config.client_id);
  if (after !== undefined) url.searchParams.set("post_logout_redirect_uri", after);
  return url.href;
}

async function revoke({ accessToken, refreshToken }: Session, { logger, provider }: RelyingParty): Promise<void> {
  const tokens = { refresh_token: refreshToken, access_token: accessToken };
  try {
    const client = await provider.client();
    for (const [hint, token] of Object.entries(tokens)) {
      if (token !== undefined) await openidClient().tokenRevocation(client, token, { token_type_hint: hint });
    }
  } catch (error) {
    // The session ends in any case.
    logger.warn({ reason: messageOf(error) }, "tokens could not be revoked");
  }
}

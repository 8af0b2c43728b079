import type { HeaderList } from "@fngate/kernel";
import { safeFieldValue } from "../shared/wire-text.ts";
import type { OpenidConnectConfig } from "./schema.ts";
import type { Session } from "./sessions.ts";
import { claimsOf } from "./tokens.ts";

/** Fields that only the gateway may set. */
const OWN = ["x-access-token", "x-userinfo", "x-id-token", "x-refresh-token", "x-raw-id-token"];

/** Takes what the client says under the gateway's names off the request. */
export function clearIdentity(headers: HeaderList): void {
  for (const name of OWN) headers.delete(name);
}

/** Tells whoever is called the access token. */
export function tellAccessToken(headers: HeaderList, token: string | undefined, config: OpenidConnectConfig): void {
  if (token === undefined || !config.set_access_token_header) return;
  if (config.access_token_in_authorization_header) headers.set("Authorization", `Bearer ${safeFieldValue(token)}`);
  else headers.set("X-Access-Token", safeFieldValue(token));
}

/** Tells whoever is called what a token or the provider says of the caller. */
export function tellUser(headers: HeaderList, user: object | undefined, config: OpenidConnectConfig): void {
  if (user !== undefined && config.set_userinfo_header) headers.set("X-Userinfo", encode(user));
}

/** Tells whoever is called what the session says. */
export function tellSession(headers: HeaderList, session: Session, config: OpenidConnectConfig): void {
  const { accessToken, idToken, refreshToken, user } = session;
  tellAccessToken(headers, accessToken, config);
  const claims = config.set_id_token_header ? claimsOf(idToken) : undefined;
  if (claims !== undefined) headers.set("X-ID-Token", encode(claims));
  if (idToken !== undefined && config.set_raw_id_token_header) headers.set("X-Raw-ID-Token", idToken);
  if (refreshToken !== undefined && config.set_refresh_token_header) {
    headers.set("X-Refresh-Token", safeFieldValue(refreshToken));
  }
  tellUser(headers, user, config);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64");
}

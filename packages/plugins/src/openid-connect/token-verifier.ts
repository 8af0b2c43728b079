import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { type Clock, lazy } from "@fngate/kernel";
import type { RequestContext } from "@fngate/plugin-kit";
import { BoundedMap } from "../shared/bounded-map.ts";
import { jose } from "../shared/jose.ts";
import { KEY_PAIR_ALGORITHMS } from "./id-token.ts";
import { openidClient } from "./libraries.ts";
import type { Provider } from "./provider.ts";
import type { OpenidConnectConfig } from "./schema.ts";

/** What is known of a token that holds. */
export type Claims = Readonly<Record<string, unknown>>;

/** How many answers about tokens are kept. */
const MAX_ANSWERS = 1000;

interface Answer {
  readonly claims: Claims;
  readonly untilMs: number;
}

/** What a {@link TokenVerifier} works with. */
export interface VerifierDeps {
  readonly clock: Clock;
  readonly provider: Provider;
}

/** Says whether a token that came with a request holds. */
export class TokenVerifier {
  readonly #config: OpenidConnectConfig;
  readonly #deps: VerifierDeps;
  readonly #answers = new BoundedMap<string, Answer>(MAX_ANSWERS);
  readonly #publicKey: () => KeyObject;

  constructor(config: OpenidConnectConfig, deps: VerifierDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#publicKey = lazy(() => createPublicKey(config.public_key ?? ""));
  }

  /** The claims of a token. Rejects when it does not hold, or nobody can be asked. */
  verify(context: RequestContext, token: string): Promise<Claims> {
    const isLocal = this.#config.public_key !== undefined || this.#config.use_jwks;
    return isLocal ? this.#verifySignature(token) : this.#ask(context, token);
  }

  async #verifySignature(token: string): Promise<Claims> {
    const { claim_validator: validator, iat_slack: clockTolerance } = this.#config;
    const { public_key: publicKey, token_signing_alg_values_expected: only } = this.#config;
    const issuer = [...(validator?.issuer?.valid_issuers ?? [await this.#issuer()])];
    const currentDate = new Date(this.#deps.clock.now());
    const options = {
      issuer,
      algorithms: only === undefined ? [...KEY_PAIR_ALGORITHMS] : [only],
      clockTolerance,
      currentDate,
    };
    const { payload } =
      publicKey === undefined
        ? await jose().jwtVerify(token, await this.#deps.provider.keys(), options)
        : await jose().jwtVerify(token, this.#publicKey(), options);
    return payload;
  }

  /** Without it a token of anybody whose key is at hand would hold. */
  async #issuer(): Promise<string> {
    try {
      return (await this.#deps.provider.metadata()).issuer;
    } catch (cause) {
      throw new Error("issuer validation unavailable", { cause });
    }
  }

  async #ask(context: RequestContext, token: string): Promise<Claims> {
    const { introspection_addon_headers: names } = this.#config;
    const nowMs = this.#deps.clock.now();
    // Where the request's own fields are part of the question, the answer is for this request.
    const key = names === undefined ? hash("sha256", token) : undefined;
    const known = key === undefined ? undefined : this.#answers.get(key);
    if (known !== undefined && known.untilMs > nowMs) return known.claims;
    const headers = (names ?? []).flatMap((name) => {
      const value = context.request.headers.get(name.toLowerCase());
      return value === undefined ? [] : [name, value];
    });
    const claims = await openidClient().tokenIntrospection(await this.#deps.provider.introspector(headers), token);
    if (!claims.active) throw new Error("invalid token");
    const untilMs = this.#untilMs(claims, nowMs);
    if (key !== undefined && untilMs > nowMs) this.#answers.set(key, { claims, untilMs });
    return claims;
  }

  /** Until when an answer holds: the token's end, or `introspection_interval` if that is before it. */
  #untilMs(claims: Claims, nowMs: number): number {
    const { introspection_expiry_claim: name = "exp", introspection_interval: seconds } = this.#config;
    const expiry = Number(claims[name]) * 1000;
    if (!Number.isFinite(expiry)) return nowMs;
    return seconds > 0 ? Math.min(expiry, nowMs + seconds * 1000) : expiry;
  }
}

import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** What a server of the plugin bench answers. */
export interface Answer {
  readonly status: number;
  readonly json?: object;
  readonly location?: string;
}

const LIFETIME_SECONDS = 86_400;

/** What of an OpenID provider the plugin needs; everybody is `bench`, at once (OpenID Connect Core 1.0, RFC 6749). */
export class OpenidProvider {
  readonly #issuer: string;
  readonly #key: KeyObject = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  /** By code: what a login was begun with. */
  readonly #nonces = new Map<string, string | null>();

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  answer({ pathname, searchParams }: URL, body: URLSearchParams): Answer {
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return { status: 200, json: this.#document() };
      case "/jwks":
        return { status: 200, json: { keys: [this.#publicJwk()] } };
      case "/authorize":
        return this.#authorize(searchParams);
      case "/token":
        return { status: 200, json: this.#tokens(body) };
      case "/userinfo":
        return { status: 200, json: { sub: "bench" } };
      default:
        return { status: 404 };
    }
  }

  #document(): object {
    return {
      issuer: this.#issuer,
      authorization_endpoint: `${this.#issuer}/authorize`,
      token_endpoint: `${this.#issuer}/token`,
      userinfo_endpoint: `${this.#issuer}/userinfo`,
      jwks_uri: `${this.#issuer}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    };
  }

  #publicJwk(): object {
    return { ...createPublicKey(this.#key).export({ format: "jwk" }), kid: "bench", use: "sig", alg: "RS256" };
  }

  #authorize(query: URLSearchParams): Answer {
    const code = String(this.#nonces.size);
    this.#nonces.set(code, query.get("nonce"));
    const back = new URL(query.get("redirect_uri") ?? "");
    back.searchParams.set("code", code);
    back.searchParams.set("state", query.get("state") ?? "");
    return { status: 302, location: back.href };
  }

  #tokens(form: URLSearchParams): object {
    const nonce = this.#nonces.get(form.get("code") ?? "");
    const claims = { iss: this.#issuer, sub: "bench", aud: "bench", ...this.#times() };
    return {
      access_token: this.#signed({ ...claims, scope: "openid" }),
      token_type: "Bearer",
      expires_in: LIFETIME_SECONDS,
      id_token: this.#signed({ ...claims, ...(nonce ? { nonce } : {}) }),
    };
  }

  #times(): object {
    const now = Math.floor(Date.now() / 1000);
    return { iat: now, exp: now + LIFETIME_SECONDS };
  }

  #signed(claims: object): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${part({ alg: "RS256", kid: "bench", typ: "JWT" })}.${part(claims)}`;
    return `${text}.${sign("RSA-SHA256", Buffer.from(text), this.#key).toString("base64url")}`;
  }
}

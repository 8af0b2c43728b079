import { createPrivateKey } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { lazy } from "@fngate/kernel";
import {
  type ManagerTools,
  memberOf,
  noSecret,
  parseJson,
  type SecretAnswer,
  type SecretManager,
  TIMEOUT_MS,
} from "./secret-manager.ts";

const require = createRequire(import.meta.url);
const jose = lazy((): typeof import("jose") => require("jose"));

/** A service account of Google Cloud, with where it gets its tokens and where secrets are. */
export interface GcpAccount {
  readonly client_email: string;
  /** PEM; may be a reference to the environment. */
  readonly private_key: string;
  readonly project_id: string;
  readonly token_uri: string;
  readonly scope: readonly string[];
  readonly entries_uri: string;
}

/** Access to Google's Secret Manager, as the Admin API stores it: the account itself, or a file that has it. */
export interface GcpConfig {
  readonly auth_config?: GcpAccount | undefined;
  readonly auth_file?: string | undefined;
  readonly ssl_verify: boolean;
}

/** What {@link gcpManager} works with. */
export interface GcpTools extends ManagerTools {
  /** Checks an account that was read from a file and fills in its defaults; undefined when it is none. */
  readonly checkAccount: (value: unknown) => GcpAccount | undefined;
}

/** A token of an account, and when it is to be replaced, in milliseconds since the epoch. */
interface Token {
  readonly value: string;
  readonly staleAtMs: number;
}

/** How long an assertion holds, and how long before its end a token is replaced, in seconds. Source: APISIX, google-cloud-oauth. */
const ASSERTION_SECONDS = 3_600;
const EARLY_SECONDS = 60;

/** A service account's file has some 2 KiB. */
const MAX_FILE_BYTES = 65_536;

/**
 * Google's Secret Manager: a key is the name of a secret, of which the latest version is read, and perhaps a member of the
 * JSON in it. Source: APISIX, secret manager gcp.
 */
export function gcpManager(config: GcpConfig, tools: GcpTools): SecretManager {
  return new GcpManager(config, tools);
}

class GcpManager implements SecretManager {
  readonly #config: GcpConfig;
  readonly #tools: GcpTools;
  #token: Token | undefined;

  constructor(config: GcpConfig, tools: GcpTools) {
    this.#config = config;
    this.#tools = tools;
  }

  async read(key: string): Promise<SecretAnswer> {
    const [name = "", ...rest] = key.split("/");
    if (name === "" || name === "." || name === "..") return noSecret("its key needs the name of a secret");
    const account = await this.#account();
    if (account === undefined) return noSecret("the account of gcp cannot be read");
    try {
      const token = await this.#accessToken(account);
      if (token === undefined) return noSecret("gcp gave no token");
      return await this.#readLatest(account, { name, member: rest.join("/") }, token);
    } catch {
      return noSecret("gcp cannot be reached");
    }
  }

  async #readLatest(
    { entries_uri, project_id }: GcpAccount,
    { name, member }: { readonly name: string; readonly member: string },
    token: string,
  ): Promise<SecretAnswer> {
    const path = `/projects/${encodeURIComponent(project_id)}/secrets/${encodeURIComponent(name)}/versions/latest:access`;
    const answer = await this.#tools.http.call({
      method: "GET",
      url: `${entries_uri}${path}`,
      headers: ["authorization", `Bearer ${token}`],
      timeoutMs: TIMEOUT_MS,
      verifyTls: this.#config.ssl_verify,
    });
    if (answer.status !== 200) return noSecret(`gcp answered ${answer.status}`);
    const data: unknown = Object(Object(parseJson(answer.body)).payload).data;
    if (typeof data !== "string") return noSecret("gcp has no such secret");
    const value = Buffer.from(data, "base64").toString();
    return member === "" ? { ok: true, value } : memberOf(parseJson(value), member, "gcp");
  }

  async #account(): Promise<GcpAccount | undefined> {
    const { auth_config, auth_file } = this.#config;
    if (auth_config !== undefined || auth_file === undefined) return auth_config;
    try {
      const status = await stat(auth_file);
      if (!status.isFile() || status.size > MAX_FILE_BYTES) return undefined;
      return this.#tools.checkAccount(parseJson(await readFile(auth_file)));
    } catch {
      return undefined;
    }
  }

  /** A token that still holds for a while; undefined when the account is refused or its key is none. */
  async #accessToken(account: GcpAccount): Promise<string | undefined> {
    const { clock, http } = this.#tools;
    if (this.#token !== undefined && clock.now() < this.#token.staleAtMs) return this.#token.value;
    const assertion = await this.#assertion(account);
    if (assertion === undefined) return undefined;
    const askedAtMs = clock.now();
    const answer = await http.call({
      method: "POST",
      url: account.token_uri,
      headers: ["content-type", "application/x-www-form-urlencoded"],
      body: new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion }).toString(),
      timeoutMs: TIMEOUT_MS,
      verifyTls: this.#config.ssl_verify,
    });
    const { access_token, expires_in } = Object(parseJson(answer.body));
    if (answer.status !== 200 || typeof access_token !== "string") return undefined;
    const holdsSeconds = Math.max(0, Number(expires_in) - EARLY_SECONDS) || 0;
    this.#token = { value: access_token, staleAtMs: askedAtMs + holdsSeconds * 1_000 };
    return access_token;
  }

  async #assertion({ client_email, private_key, scope, token_uri }: GcpAccount): Promise<string | undefined> {
    const nowSeconds = Math.floor(this.#tools.clock.now() / 1_000);
    try {
      const key = createPrivateKey(this.#tools.resolveText(private_key));
      const { SignJWT } = jose();
      return await new SignJWT({ scope: scope.join(" ") })
        .setProtectedHeader({ alg: "RS256", typ: "JWT" })
        .setIssuer(client_email)
        .setAudience(token_uri)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + ASSERTION_SECONDS)
        .sign(key);
    } catch {
      return undefined;
    }
  }
}

import { type Clock, GatewayError, type HttpClient, type Logger, messageOf } from "@fngate/kernel";
import type { JWTVerifyGetKey } from "jose";
import type { Configuration, ServerMetadata } from "openid-client";
import { z } from "zod";
import { jose } from "../shared/jose.ts";
import { chooseMethod, clientAuthOf } from "./client-auth.ts";
import { fetchThrough, type ProviderFetch } from "./fetch-through.ts";
import { ID_TOKEN_ALGORITHMS } from "./id-token.ts";
import { Latest } from "./latest.ts";
import { openidClient } from "./libraries.ts";
import { Refreshed } from "./refreshed.ts";
import type { OpenidConnectConfig } from "./schema.ts";

/** How long a discovery document is kept. */
const DISCOVERY_TTL_MS = 3_600_000;

const document = z.object({ issuer: z.string() }).catchall(z.json());

/** What a provider is reached with. */
export interface ProviderDeps {
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly logger: Logger;
}

/** An OpenID provider as one configuration sees it; nothing is asked of it before it is needed. */
export class Provider {
  readonly #config: OpenidConnectConfig;
  readonly #deps: ProviderDeps;
  readonly #discovered: Refreshed<ServerMetadata>;
  readonly #clients: Latest<ServerMetadata, Configuration>;
  readonly #keys: Latest<string, JWTVerifyGetKey>;

  constructor(config: OpenidConnectConfig, deps: ProviderDeps) {
    this.#config = config;
    this.#deps = deps;
    const onStale = (error: unknown) =>
      deps.logger.warn({ reason: messageOf(error) }, "the OpenID provider's discovery document cannot be read again");
    const load = () => this.#discover();
    this.#discovered = new Refreshed({ clock: deps.clock, ttlMs: DISCOVERY_TTL_MS, onStale, load });
    this.#clients = new Latest((server) => this.#createClient(server));
    this.#keys = new Latest((address) => this.#createKeys(address));
  }

  /** What the provider says of itself. Rejects when it cannot be asked. */
  metadata(): Promise<ServerMetadata> {
    return this.#discovered.get();
  }

  /** The client for logging in and out. Rejects when the provider cannot be asked. */
  async client(): Promise<Configuration> {
    return this.#clients.of(await this.metadata());
  }

  /** The keys that the provider publishes. Rejects when it cannot be asked, or publishes none. */
  async keys(): Promise<JWTVerifyGetKey> {
    const { jwks_uri: address } = await this.metadata();
    if (address === undefined) throw new GatewayError("HTTP_CALL_FAILED", "the OpenID provider publishes no keys");
    return this.#keys.of(address);
  }

  /** The client for pushing authorization requests. */
  async pusher(): Promise<Configuration> {
    const client = openidClient();
    const server = this.#withParEndpoint(await this.metadata());
    const wanted = this.#config.par?.endpoint_auth_method ?? this.#config.token_endpoint_auth_method;
    const method = chooseMethod(this.#config, wanted, server.token_endpoint_auth_methods_supported);
    const configuration = await this.#configure(server, method, []);
    const fetch = this.fetch();
    configuration[client.customFetch] = async (...call) => asCreated(await fetch(...call));
    return configuration;
  }

  /** The client for questions about tokens; `headers` go along with them. */
  async introspector(headers: readonly string[]): Promise<Configuration> {
    const { discovery, introspection_endpoint: endpoint, introspection_endpoint_auth_method: method } = this.#config;
    // A configured endpoint is asked whether or not the rest of the provider is there.
    const server =
      endpoint === undefined ? await this.metadata() : { issuer: discovery, introspection_endpoint: endpoint };
    return this.#configure(server, method, headers);
  }

  /** A `fetch` that reaches the provider as the configuration says. */
  fetch(headers: readonly string[] = []): ProviderFetch {
    const { ssl_verify: verifyTls } = this.#config;
    return fetchThrough(this.#deps.http, { timeoutMs: timeoutOf(this.#config), verifyTls, headers });
  }

  async #createClient(server: ServerMetadata): Promise<Configuration> {
    const { token_endpoint_auth_method: wanted } = this.#config;
    const method = chooseMethod(this.#config, wanted, server.token_endpoint_auth_methods_supported);
    // Whatever an ID token is signed with, its signature is verified (`verifyIdToken`).
    const algorithms = server.id_token_signing_alg_values_supported ?? ID_TOKEN_ALGORITHMS;
    const whole = { ...this.#withParEndpoint(server), id_token_signing_alg_values_supported: [...algorithms] };
    return this.#configure(whole, method, []);
  }

  async #createKeys(address: string): Promise<JWTVerifyGetKey> {
    const library = jose();
    return library.createRemoteJWKSet(new URL(address), {
      cacheMaxAge: this.#config.jwk_expires_in * 1000,
      [library.customFetch]: this.fetch(),
    });
  }

  #withParEndpoint(server: ServerMetadata): ServerMetadata {
    const endpoint = this.#config.par?.endpoint;
    return endpoint === undefined ? server : { ...server, pushed_authorization_request_endpoint: endpoint };
  }

  async #configure(server: ServerMetadata, method: string, headers: readonly string[]): Promise<Configuration> {
    const client = openidClient();
    const { client_id: id, iat_slack: slack } = this.#config;
    const auth = await clientAuthOf(this.#config, method);
    const configuration = new client.Configuration(server, id, { [client.clockTolerance]: slack }, auth);
    configuration[client.customFetch] = this.fetch(headers);
    // Whether a provider is reached by plain HTTP is for its address to say (APISIX warns only).
    client.allowInsecureRequests(configuration);
    return configuration;
  }

  async #discover(): Promise<ServerMetadata> {
    const { discovery: url, ssl_verify: verifyTls } = this.#config;
    const call = { method: "GET", url, headers: ["Accept", "application/json"], timeoutMs: timeoutOf(this.#config) };
    const answer = await this.#deps.http.call({ ...call, verifyTls });
    const parsed = answer.status === 200 ? document.safeParse(parseJson(answer.body)) : undefined;
    if (parsed?.data !== undefined) return parsed.data;
    throw new GatewayError("HTTP_CALL_FAILED", `the discovery document cannot be read: status ${answer.status}`);
  }
}

/** Some providers answer 200 to a pushed request where RFC 9126 (2.2) wants 201. */
function asCreated(answer: Response): Response {
  return answer.status === 200 ? new Response(answer.body, { status: 201, headers: answer.headers }) : answer;
}

/** Seconds; what APISIX stored in milliseconds was a whole thousand or more. */
function timeoutOf({ timeout }: OpenidConnectConfig): number {
  return timeout >= 1000 && timeout % 1000 === 0 ? timeout : timeout * 1000;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type ClientMetadata, type Configuration } from "oidc-provider";
import type { Browser, Page } from "./browser.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const SIGNING_KEY = { ...privateKey.export({ format: "jwk" }), kid: "test", use: "sig", alg: "RS256" };

/** Whom access tokens in the form of JWTs are for. */
export const RESOURCE = "urn:test:api";

/** A real OpenID provider (`oidc-provider`) on a port of its own. Everybody may log in under any name. */
export class OpenidProvider implements AsyncDisposable {
  readonly #server: Server;
  #listener: (...[request, answer]: Parameters<RequestListener>) => unknown = (_, answer) =>
    answer.writeHead(503).end();
  #keys: readonly object[] | undefined;
  /** How often each path was asked for. */
  readonly visits = new Map<string, number>();

  constructor() {
    this.#server = createServer((request, answer) => {
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      this.visits.set(path, (this.visits.get(path) ?? 0) + 1);
      if (path === "/jwks" && this.#keys !== undefined) {
        answer.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ keys: this.#keys }));
      } else this.#listener(request, answer);
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get discovery(): string {
    return `${this.issuer}/.well-known/openid-configuration`;
  }

  /** Makes clients known; until then every answer is 503. */
  configure(clients: readonly ClientMetadata[], settings: Partial<Configuration> = {}): void {
    const provider = new Provider(this.issuer, {
      clients: [...clients],
      jwks: { keys: [SIGNING_KEY] },
      cookies: { keys: ["a key of the test's"] },
      claims: { openid: ["sub"], profile: ["name"] },
      scopes: ["openid", "offline_access", "profile", "read"],
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} ${"é".repeat(3)}` }) }),
      issueRefreshToken: async () => true,
      enabledJWA: { idTokenSigningAlgValues: ["RS256", "HS256"] },
      ttl: {
        AccessToken: 3600,
        AuthorizationCode: 60,
        ClientCredentials: 3600,
        Grant: 7200,
        IdToken: 3600,
        Interaction: 600,
        RefreshToken: 7200,
        Session: 7200,
      },
      features: {
        devInteractions: { enabled: true },
        clientCredentials: { enabled: true },
        introspection: { enabled: true },
        revocation: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({ scope: "read", audience: RESOURCE, accessTokenFormat: "jwt" }),
        },
      },
      ...settings,
    });
    this.#listener = provider.callback();
  }

  /** Publishes other keys than those that tokens are signed with. */
  replaceKeys(keys: readonly object[]): void {
    this.#keys = keys;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Starts an {@link OpenidProvider} that knows nobody yet. */
export async function startOpenidProvider(): Promise<OpenidProvider> {
  const provider = new OpenidProvider();
  await provider.listen();
  return provider;
}

/** Logs in at the provider, from the page that led there to the one behind it. */
export async function logInAtProvider(browser: Browser, from: Page, until?: (url: string) => boolean): Promise<Page> {
  let page = await browser.follow(from, until);
  for (;;) {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.body)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(page.body)?.[1];
    if (action === undefined || prompt === undefined) return page;
    const form = { prompt, ...(prompt === "login" && { login: "jack", password: "any" }) };
    page = await browser.follow(await browser.visit(new URL(action, page.url).href, { form }), until);
  }
}

import { type GatewaySetup, type RunningGateway, runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { openidConnect } from "../openid-connect/index.ts";
import { Browser, type Page } from "./browser.ts";
import { logInAtProvider, type OpenidProvider, startOpenidProvider } from "./openid-provider.ts";

/** What sessions are sealed with. */
export const SESSION_SECRET = "a-secret-for-sessions-of-the-test";

/** A gateway, its provider, and somebody with a browser. */
export class OpenidScene implements AsyncDisposable {
  readonly browser = new Browser();
  readonly provider: OpenidProvider;
  readonly gateway: RunningGateway;

  constructor(provider: OpenidProvider, gateway: RunningGateway) {
    this.provider = provider;
    this.gateway = gateway;
  }

  /** The client as the provider knows it. */
  get client() {
    return {
      client_id: "gateway",
      client_secret: "clients-secret",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [`${this.origin}/callback`, `${this.origin}/a/page/.apisix/redirect`],
      post_logout_redirect_uris: [`${this.origin}/bye`],
    };
  }

  get origin(): string {
    return `http://127.0.0.1:${this.gateway.portOf()}`;
  }

  visit(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.browser.visit(`${this.origin}${path}`, { headers });
  }

  /** Asks for a path and logs in on the way. */
  async logIn(path: string): Promise<Page> {
    return logInAtProvider(this.browser, await this.visit(path));
  }

  /** Logs in as far as the provider's answer, which is not delivered. */
  async answerOf(path: string): Promise<string> {
    const isCallback = (url: string) => url.startsWith(`${this.origin}/`);
    const page = await logInAtProvider(this.browser, await this.visit(path), isCallback);
    return page.headers.get("location") ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.provider[Symbol.asyncDispose]();
  }
}

/** Starts a gateway whose route for every path has the plugin, as a client of a provider. */
export function startOpenidGateway(
  provider: OpenidProvider,
  config: object = {},
  setup: GatewaySetup = {},
): Promise<RunningGateway> {
  const whole = {
    client_id: "gateway",
    client_secret: "clients-secret",
    discovery: provider.discovery,
    redirect_uri: "/callback",
    scope: "openid profile",
    session: { secret: SESSION_SECRET },
    ...config,
  };
  return runGateway({
    plugins: [openidConnect as PluginDefinition],
    routes: { 1: { uri: "/*", plugins: { "openid-connect": whole } } },
    ...setup,
  });
}

/** Opens an {@link OpenidScene}: a route for every path, and the client that it is configured with. */
export async function openScene(
  config: object = {},
  setup: GatewaySetup = {},
  client: object = {},
): Promise<OpenidScene> {
  const provider = await startOpenidProvider();
  const gateway = await startOpenidGateway(provider, config, setup);
  const scene = new OpenidScene(provider, gateway);
  provider.configure([{ ...scene.client, ...client }]);
  return scene;
}

/** JSON in base64, as identities are told. */
export function decodeIdentity(value: unknown): unknown {
  return JSON.parse(Buffer.from(String(value), "base64").toString());
}

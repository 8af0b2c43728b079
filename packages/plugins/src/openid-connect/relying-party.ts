import type { Logger } from "@fngate/kernel";
import type { PluginDeps } from "@fngate/plugin-kit";
import type { CryptoKey, DPoPHandle } from "openid-client";
import { jose } from "../shared/jose.ts";
import { Cabinet, type Kept } from "./cabinet.ts";
import { importPrivateKey } from "./client-auth.ts";
import { CookieJar } from "./cookie-jar.ts";
import { Flows, type StoredFlow } from "./flows.ts";
import { openidClient } from "./libraries.ts";
import { Provider } from "./provider.ts";
import type { OpenidConnectConfig } from "./schema.ts";
import { Sealer } from "./sealer.ts";
import { Sessions } from "./sessions.ts";

/** The gateway as a client of one provider, under one configuration. */
export class RelyingParty {
  readonly config: OpenidConnectConfig;
  readonly provider: Provider;
  readonly cabinet: Cabinet;
  readonly sessions: Sessions;
  readonly flows: Flows;
  readonly logger: Logger;
  #proof: Promise<{ readonly DPoP?: DPoPHandle }> | undefined;

  constructor(config: OpenidConnectConfig, { clock, http, logger }: Pick<PluginDeps, "clock" | "http" | "logger">) {
    const { session: settings = {} } = config;
    const secret = config.session?.secret ?? "";
    const client = JSON.stringify([config.discovery, config.client_id]);
    this.config = config;
    this.logger = logger;
    this.provider = new Provider(config, { clock, http, logger: this.logger });
    this.cabinet = new Cabinet(new Sealer<Kept>({ secret, client, purpose: "session" }), new CookieJar(settings));
    this.sessions = new Sessions(settings, clock);
    this.flows = new Flows(new Sealer<StoredFlow>({ secret, client, purpose: "state" }), clock);
  }

  /** What binds tokens to a key, where that is configured. */
  proof(): Promise<{ readonly DPoP?: DPoPHandle }> {
    this.#proof ??= this.#createProof().catch((error: unknown) => {
      this.#proof = undefined;
      throw error;
    });
    return this.#proof;
  }

  async #createProof(): Promise<{ readonly DPoP?: DPoPHandle }> {
    const { dpop } = this.config;
    if (dpop?.enabled !== true) return {};
    const privateKey = await importPrivateKey(dpop.private_key ?? "", dpop.signing_alg);
    const publicKey = await jose().importJWK({ ...dpop.public_jwk }, dpop.signing_alg, { extractable: true });
    const pair = { privateKey, publicKey: publicKey as CryptoKey };
    return { DPoP: openidClient().getDPoPHandle(await this.provider.client(), pair) };
  }
}

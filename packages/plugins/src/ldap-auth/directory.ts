import { createRequire } from "node:module";
import { createSecureContext, type SecureContext } from "node:tls";
import { lazy, type Usage } from "@fngate/kernel";
import type { PluginDeps } from "@fngate/plugin-kit";
import type { Client } from "ldapts";
import type { NameAndPassword } from "../shared/basic-credentials.ts";
import { DirectoryConnections } from "./directory-connections.ts";
import type { LdapAuthConfig } from "./schema.ts";

const require = createRequire(import.meta.url);
const ldapts = lazy((): typeof import("ldapts") => require("ldapts"));

/** Longest wait for the server, milliseconds (APISIX: ldap-auth, `timeout`). */
const TIMEOUT_MS = 10_000;

type Deps = Pick<PluginDeps, "clock" | "shared" | "trustedCertificates">;

/** An LDAP server as one configuration sees it. */
export class Directory {
  readonly #config: LdapAuthConfig;
  readonly #url: string;
  /** Of all configurations that reach the server alike. */
  readonly #connections: Usage<DirectoryConnections>;
  /** The certificates are read once, not with every bind. */
  readonly #trusted: () => SecureContext;

  constructor(config: LdapAuthConfig, deps: Deps) {
    const { clock, shared, trustedCertificates } = deps;
    this.#config = config;
    this.#trusted = lazy(() => createSecureContext({ ca: [...trustedCertificates()] }));
    this.#url = serverUrl(config);
    this.#connections = shared.acquire(
      `${this.#url}${config.use_tls && config.tls_verify ? " verified" : ""}`,
      () => new DirectoryConnections(() => this.#createClient(), clock),
      (connections) => connections.close(),
    );
  }

  /** Gives up the claim on the connections. */
  dispose(): void {
    this.#connections.release();
  }

  /**
   * Binds as somebody, and returns the name of the entry, the caller's part escaped (RFC 4514, 2.4). Rejects when the
   * server does not let them in, or cannot be asked.
   */
  async authenticate({ password, username }: NameAndPassword): Promise<string> {
    const { base_dn: base, uid } = this.#config;
    const { DN } = ldapts();
    const name = `${new DN().addPairRDN(uid, username).toString()},${base}`;
    await this.#connections.value.bind(name, password);
    return name;
  }

  #createClient(): Client {
    const { Client: LdapClient } = ldapts();
    const options = { url: this.#url, timeout: TIMEOUT_MS, connectTimeout: TIMEOUT_MS };
    if (!this.#config.use_tls) return new LdapClient(options);
    const isVerified = this.#config.tls_verify;
    const tlsOptions = isVerified ? { secureContext: this.#trusted() } : { rejectUnauthorized: false };
    return new LdapClient({ ...options, tlsOptions });
  }
}

/** The server's address, whatever scheme it was written with. */
function serverUrl({ ldap_uri: uri, use_tls: isSecure }: LdapAuthConfig): string {
  const address = uri.replace(/^ldaps?:\/\//i, "");
  const hasPort = /:\d+$/.test(address) && !/^[^[].*:.*:/.test(address);
  const port = isSecure ? 636 : 389;
  return `${isSecure ? "ldaps" : "ldap"}://${hasPort ? address : `${address}:${port}`}`;
}

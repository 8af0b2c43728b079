import { createRequire } from "node:module";
import { createSecureContext, getCACertificates } from "node:tls";
import { lazy } from "@fngate/kernel";
import type { Client } from "ldapts";
import type { NameAndPassword } from "../shared/basic-credentials.ts";
import type { LdapAuthConfig } from "./schema.ts";

const require = createRequire(import.meta.url);
const ldapts = lazy((): typeof import("ldapts") => require("ldapts"));

/** Longest wait for the server, milliseconds (APISIX: ldap-auth, `timeout`). */
const TIMEOUT_MS = 10_000;

/** An LDAP server as one configuration sees it. */
export class Directory {
  readonly #config: LdapAuthConfig;
  readonly #url: string;
  /** The certificates are read once, not with every bind. */
  readonly #trusted = lazy(() =>
    createSecureContext({ ca: [...getCACertificates("default"), ...getCACertificates("system")] }),
  );

  constructor(config: LdapAuthConfig) {
    this.#config = config;
    this.#url = serverUrl(config);
  }

  /**
   * Binds as somebody, and returns the name of the entry, the caller's part escaped (RFC 4514, 2.4). Rejects when the
   * server does not let them in, or cannot be asked.
   */
  async authenticate({ password, username }: NameAndPassword): Promise<string> {
    const { base_dn: base, uid } = this.#config;
    const { DN } = ldapts();
    const name = `${new DN().addPairRDN(uid, username).toString()},${base}`;
    const client = this.#createClient();
    try {
      await client.bind(name, password);
      return name;
    } finally {
      await client.unbind().catch(() => {});
    }
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

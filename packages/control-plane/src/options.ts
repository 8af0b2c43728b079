import type { Clock, Logger } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import type { Keyring } from "@fngate/schema";
import type { ConfigStore } from "@fngate/store";
import type { DocumentStore } from "@fngate/store/document";
import type { ApiVersion } from "./render.ts";

/** Where the Admin API listens: a TCP address (port 0 picks a free one) or the path of a unix socket. */
export type AdminListen = { readonly host: string; readonly port: number } | { readonly socketPath: string };

/** One key of `deployment.admin.admin_key`. */
export interface AdminKey {
  /** Named in the audit log; never a secret. */
  readonly name: string;
  readonly key: string;
  /** `viewer` may only GET; every other role may do everything. */
  readonly role: "admin" | "viewer" | (string & {});
}

/** TLS of the Admin API; every text is PEM. */
export interface AdminTls {
  readonly cert: string;
  readonly key: string;
  /** Authority of client certificates; present: clients need one. */
  readonly ca?: string;
}

/** Everything {@link createControlPlane} needs; nothing is read from the environment. */
export interface ControlPlaneOptions {
  readonly store: ConfigStore;
  /** Set in standalone mode: what `/configs` publishes to; there are no endpoints for single objects then. */
  readonly document?: Pick<DocumentStore, "publish">;
  /** Store prefix without trailing slash, e.g. `/apisix`. */
  readonly prefix: string;
  /** Plugins that objects may name. */
  readonly catalog: PluginCatalog;
  /** Loads the plugins again, so that the catalog has what is new; rejects, and nothing changed, when one is unsound. */
  readonly reloadPlugins?: () => Promise<void>;
  /** Encrypts secret fields at rest; undefined stores them in clear. */
  readonly keyring: Keyring | undefined;
  readonly listen: AdminListen;
  /** Absent: plain HTTP. */
  readonly tls?: AdminTls;
  readonly keys: readonly AdminKey[];
  /** False accepts every request as an administrator; only allowed on loopback. */
  readonly isKeyRequired: boolean;
  /** CIDR blocks or addresses, IPv4 and IPv6, that may connect; absent: everyone. Unix socket peers always may. */
  readonly allowedAddresses?: readonly string[];
  /** Peers whose `X-Real-IP` names the client, beside those of this machine; addresses and CIDR blocks. */
  readonly realIpFrom?: readonly string[];
  readonly isCorsEnabled: boolean;
  /** Lets pages of every origin in even while the key is publicly known or not required; default false. */
  readonly isCrossOriginAllowed?: boolean;
  /** Shapes of the answers; default v3, the current ones. */
  readonly apiVersion?: ApiVersion;
  /** Absolute path of a dashboard's built files, served at `/ui/`; absent: nothing is there. */
  readonly dashboardDirectory?: string;
  /** Value of the `Server` header; clients read the version out of `APISIX/3.18.0`. */
  readonly serverHeader: string;
  /** Whether the process has stream listeners; without them `stream_routes` is refused. */
  readonly isStreamEnabled: boolean;
  readonly logger: Logger;
  readonly clock: Clock;
}

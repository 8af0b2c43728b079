import type { X509Certificate } from "node:crypto";
import type { ConfiguredPlugin, Consumer } from "@fngate/plugin-kit";
import { createRouter, type Router, type RouterKind, type RouteSpec } from "@fngate/router";
import type { CompiledExpression } from "@fngate/router/expr";
import type { Revision, StoreEntry } from "@fngate/store";
import { Map as PersistentMap, type Set as PersistentSet } from "immutable";
import type { Diagnostic } from "../diagnostic.ts";
import type { CertificateUsers } from "./certificate-users.ts";
import type { EffectivePlugins } from "./effective-plugins.ts";
import { GlobalPlugins } from "./global-pipeline.ts";
import type { Held } from "./held.ts";
import type { IdentityIndex } from "./identity-index.ts";
import { SniIndex } from "./sni-index.ts";
import type { UpstreamHandle } from "./upstream-handle.ts";

/** One plugin of an object, and whether it was switched off there, which hides it at lower levels too. */
export interface ObjectPlugin extends ConfiguredPlugin {
  readonly isDisabled: boolean;
  /** In a global rule it does not run where the route has it. */
  readonly prefersRoute?: boolean;
  /** Gives back what the plugin took; never throws. */
  readonly dispose?: () => void;
}

/** What every compiled object is. */
export interface CompiledObject {
  readonly id: string;
  readonly held: Held;
  readonly plugins: readonly ObjectPlugin[];
  /** What it was compiled from; the mirror has the same object, or a later one that cannot be used. */
  readonly entry: StoreEntry;
}

/** Where an object's requests go: nowhere, to a named upstream, or to its own. The name wins over its own. */
export interface UpstreamChoice {
  readonly upstreamId: string | undefined;
  /** A number: the status of requests, because its own upstream cannot be called. */
  readonly upstream: UpstreamHandle | number | undefined;
}

/** A service: defaults of the routes that name it. */
export interface CompiledService extends CompiledObject, UpstreamChoice {
  readonly name: string | undefined;
  readonly hosts: readonly string[];
  readonly isWebsocketEnabled: boolean | undefined;
}

/** A shared set of plugins. */
export type CompiledPluginConfig = CompiledObject;

/** Plugins that every request runs. */
export type CompiledGlobalRule = CompiledObject;

/** Plugins that the consumers of a group share. */
export type CompiledConsumerGroup = CompiledObject;

/** What a consumer or credential presents to one authentication plugin. */
export interface IdentityClaim {
  readonly plugin: string;
  /** Value of the plugin's `identityField`; absent for plugins without one. */
  readonly identity: string | undefined;
  /** Parsed by the plugin's `consumerSchema`, secrets in plain text. */
  readonly config: unknown;
}

/** What tells who calls. */
export interface CompiledIdentifier extends CompiledObject {
  /** Name of the consumer it belongs to. */
  readonly owner: string;
  readonly claims: readonly IdentityClaim[];
}

/** Somebody who calls; its plugins are those that run for its requests. */
export interface CompiledConsumer extends CompiledIdentifier {
  readonly consumer: Consumer;
}

/** One more way to tell that a consumer calls. */
export interface CompiledCredential extends CompiledIdentifier {
  readonly credentialId: string;
}

/** A plugin's settings for the whole gateway; the id is the plugin's name. */
export interface CompiledMetadata extends CompiledObject {
  readonly value: unknown;
}

/** An upstream that routes and services name. */
export interface CompiledUpstream extends CompiledObject {
  readonly upstream: UpstreamHandle | number;
}

/** A route without what it refers to: that is looked up per request, so a change there recompiles no route. */
export interface CompiledRoute extends CompiledObject, UpstreamChoice {
  readonly name: string | undefined;
  readonly serviceId: string | undefined;
  readonly pluginConfigId: string | undefined;
  readonly isWebsocketEnabled: boolean | undefined;
  /** In place of that of any upstream it calls; its own upstream has it already. */
  readonly timeout: RouteTimeout | undefined;
  /** Own hosts; empty: the service's apply. */
  readonly hosts: readonly string[];
  /** False for `status: 0`: there, and never matched. */
  readonly isEnabled: boolean;
  /** What the router gets, without hosts. */
  readonly selector: Omit<RouteSpec<CompiledRoute>, "hosts" | "value">;
  /** Plugins of route, plugin config and service merged; remembers the last merge. */
  readonly effective: EffectivePlugins;
}

/** A route's `timeout`, seconds, as stored. */
export interface RouteTimeout {
  readonly connect: number;
  readonly send: number;
  readonly read: number;
}

/** A certificate chain and its key, PEM. */
export interface TlsKeyPair {
  readonly cert: string;
  readonly key: string;
}

/** How a client shows who it is. */
export interface ClientVerification {
  /** Authorities, PEM. */
  readonly ca: string;
  /** The same, read. */
  readonly authorities: readonly X509Certificate[];
  /** Most certificates between the client's and the authority's. */
  readonly maxDepth: number;
  /** Over the variable `uri`: requests that need no certificate; absent: the handshake itself insists on one. */
  readonly skip: readonly CompiledExpression[] | undefined;
}

/** A certificate of the gateway: a server's, found by name, or a client's, found by id. */
export interface CompiledSsl extends CompiledObject {
  readonly type: "server" | "client";
  readonly isEnabled: boolean;
  /** Host names, lower case; each may begin with a `*`. */
  readonly names: readonly string[];
  /** At least one; several for one name differ in their kind of key. */
  readonly pairs: readonly TlsKeyPair[];
  readonly client: ClientVerification | undefined;
  /** Absent: the gateway's. */
  readonly protocols: readonly TlsProtocol[] | undefined;
}

/** Versions of TLS that can be spoken. */
export type TlsProtocol = "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/** Compiled objects by kind and id. */
export interface SnapshotTables {
  readonly route: PersistentMap<string, CompiledRoute>;
  readonly service: PersistentMap<string, CompiledService>;
  readonly upstream: PersistentMap<string, CompiledUpstream>;
  readonly plugin_config: PersistentMap<string, CompiledPluginConfig>;
  readonly global_rule: PersistentMap<string, CompiledGlobalRule>;
  readonly ssl: PersistentMap<string, CompiledSsl>;
  readonly consumer: PersistentMap<string, CompiledConsumer>;
  readonly credential: PersistentMap<string, CompiledCredential>;
  readonly consumer_group: PersistentMap<string, CompiledConsumerGroup>;
  readonly plugin_metadata: PersistentMap<string, CompiledMetadata>;
}

/**
 * One state of the configuration, ready to serve. Immutable; the next one shares what did not change, so that a
 * change among 100,000 routes costs that one change.
 */
export interface Snapshot {
  readonly revision: Revision | undefined;
  readonly router: Router<CompiledRoute>;
  readonly tables: SnapshotTables;
  /** Certificates of the servers among the `ssl` objects, by name. */
  readonly certificates: SniIndex;
  /** Routes that take their hosts from a service, by service id. */
  readonly hostHeirs: PersistentMap<string, PersistentSet<string>>;
  /** Global rules merged. */
  readonly globalPlugins: GlobalPlugins;
  /** What that pipeline uses. */
  readonly globalHeld: readonly Held[];
  /** Consumers and credentials by what they present to authentication plugins. */
  readonly identities: IdentityIndex;
  /** Objects whose upstream names a client certificate, by the certificate's id. */
  readonly certificateUsers: CertificateUsers;
  /** Findings by {@link objectKey}, and those that are no single object's. */
  readonly diagnostics: PersistentMap<string, readonly Diagnostic[]>;
}

/** Where the findings about an object are. */
export function objectKey(kind: string, id: string): string {
  return `${kind}/${id}`;
}

/** The configuration before any was read. */
export function createEmptySnapshot(kind: RouterKind): Snapshot {
  return {
    revision: undefined,
    router: createRouter<CompiledRoute>(kind),
    tables: {
      route: PersistentMap(),
      service: PersistentMap(),
      upstream: PersistentMap(),
      plugin_config: PersistentMap(),
      global_rule: PersistentMap(),
      ssl: PersistentMap(),
      consumer: PersistentMap(),
      credential: PersistentMap(),
      consumer_group: PersistentMap(),
      plugin_metadata: PersistentMap(),
    },
    certificates: SniIndex.empty,
    hostHeirs: PersistentMap(),
    globalPlugins: GlobalPlugins.none,
    globalHeld: [],
    identities: PersistentMap(),
    certificateUsers: PersistentMap(),
    diagnostics: PersistentMap(),
  };
}

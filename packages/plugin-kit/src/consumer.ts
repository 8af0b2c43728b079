import type { RequestContext } from "./context.ts";

/** Somebody who calls, as the configuration knows them. */
export interface Consumer {
  /** The consumer's `username`. */
  readonly name: string;
  readonly groupId: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Id of the credential that told who calls; absent when the consumer itself holds it. */
  readonly credentialId: string | undefined;
}

/** A consumer, and what its configuration of an authentication plugin says. */
export interface Credential<TConfig> {
  readonly consumer: Consumer;
  /** Parsed by the plugin's `consumerSchema`, secrets in plain text. */
  readonly config: TConfig;
}

/**
 * The consumers that a plugin can tell apart. Looked up in the configuration that the request began with, so that one
 * request never sees two.
 */
export interface ConsumerDirectory<TConfig> {
  /** Whose configuration of this plugin has that value in its `identityField`. */
  find(context: RequestContext, identity: string): Credential<TConfig> | undefined;
  /** A consumer by its `username`, e.g. an `anonymous_consumer`. */
  findByName(context: RequestContext, name: string): Consumer | undefined;
  /** Whether no consumer has this plugin at all. */
  isEmpty(context: RequestContext): boolean;
}

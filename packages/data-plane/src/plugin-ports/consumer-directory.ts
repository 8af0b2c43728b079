import type { Consumer, ConsumerDirectory, Credential, RequestContext } from "@fngate/plugin-kit";
import { findIdentity } from "../compile/identity-index.ts";
import type { Snapshot } from "../compile/snapshot.ts";
import { ExchangeContext } from "../http/exchange-context.ts";

/** The consumers as one plugin sees them, in the snapshot that the request began with. */
export class SnapshotConsumers implements ConsumerDirectory<unknown> {
  readonly #plugin: string;

  constructor(plugin: string) {
    this.#plugin = plugin;
  }

  find(context: RequestContext, identity: string): Credential<unknown> | undefined {
    const snapshot = snapshotOf(context);
    const found = findIdentity(snapshot.identities, this.#plugin, identity);
    // What has no identity stands under the empty one, which nobody can present.
    if (found?.claim.identity !== identity) return undefined;
    const { identifier } = found;
    const owner = snapshot.tables.consumer.get(identifier.owner);
    if (owner === undefined) return undefined;
    const consumer =
      "credentialId" in identifier
        ? { ...owner.consumer, credentialId: String(identifier.credentialId) }
        : owner.consumer;
    return { consumer, config: found.claim.config };
  }

  findByName(context: RequestContext, name: string): Consumer | undefined {
    return snapshotOf(context).tables.consumer.get(name)?.consumer;
  }

  isEmpty(context: RequestContext): boolean {
    return !snapshotOf(context).identities.has(this.#plugin);
  }
}

function snapshotOf(context: RequestContext): Snapshot {
  if (context instanceof ExchangeContext) return context.snapshot;
  throw new TypeError("consumers can be looked up for a request of this gateway only");
}

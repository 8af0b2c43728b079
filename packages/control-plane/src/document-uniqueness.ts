import { GatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import type { ResourceDefinition, ResourceUser } from "@fngate/schema";
import type { JsonObject } from "./json.ts";
import type { Uniqueness } from "./uniqueness.ts";

/** {@link Uniqueness} among the objects of one document, asked about one after the other; good for that document only. */
export class DocumentUniqueness implements Uniqueness {
  readonly #catalog: PluginCatalog;
  readonly #owners = new Map<string, ResourceUser>();

  constructor(catalog: PluginCatalog) {
    this.#catalog = catalog;
  }

  async assertUnique(definition: ResourceDefinition, id = "", value: JsonObject): Promise<void> {
    const { kind, uniqueness } = definition;
    if (uniqueness === undefined) return;
    for (const claim of uniqueness.claims(value, this.#catalog)) {
      const name = `${uniqueness.among.join()} ${claim.text}`;
      const owner = this.#owners.get(name);
      const isFree = owner === undefined || owner.id === id || uniqueness.isExempt?.(id, owner) === true;
      if (!isFree) throw new GatewayError("RESOURCE_INVALID", claim.conflict(owner));
      this.#owners.set(name, { kind, id });
    }
  }
}

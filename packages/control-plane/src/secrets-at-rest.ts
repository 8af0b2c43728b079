import type { PluginCatalog } from "@fngate/plugin-kit";
import {
  decryptFields,
  encryptFields,
  encryptPrivateKeys,
  type Keyring,
  type ResourceDefinition,
} from "@fngate/schema";
import { isJsonObject, type JsonObject, memberOf, withMember } from "./json.ts";

/** The two forms of an object: sealed in the store, opened for readers and for merging. */
export interface SecretsAtRest {
  /** Encrypts private keys of the object and secret fields of its plugins. */
  seal(value: JsonObject): JsonObject;
  /** Decrypts secret fields of plugins; private keys stay sealed, as in APISIX. */
  open(value: JsonObject): JsonObject;
}

/** Builds {@link SecretsAtRest} for a kind; without a keyring both forms are the same. Source: APISIX data encryption. */
export function secretsAtRest(
  definition: ResourceDefinition,
  catalog: PluginCatalog,
  keyring: Keyring | undefined,
): SecretsAtRest {
  if (keyring === undefined) return { seal: (value) => value, open: (value) => value };
  const mapPlugins = (value: JsonObject, map: typeof encryptFields): JsonObject => {
    const plugins = definition.plugins === undefined ? undefined : memberOf(value, "plugins");
    if (!isJsonObject(plugins)) return value;
    const mapped = Object.entries(plugins).map(([name, conf]) => {
      const fields = catalog.get(name)?.secretFields ?? [];
      return [name, fields.length === 0 ? conf : map(conf, fields, keyring)];
    });
    return withMember(value, "plugins", Object.fromEntries(mapped));
  };
  return {
    seal: (value) => mapPlugins(encryptPrivateKeys(value, definition.secretFields, keyring), encryptFields),
    open: (value) => mapPlugins(value, decryptFields),
  };
}

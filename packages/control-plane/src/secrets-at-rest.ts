import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import {
  decryptFields,
  encryptFields,
  encryptPrivateKeys,
  findUnreadablePrivateKey,
  type Keyring,
  type ResourceDefinition,
} from "@fngate/schema";
import { isJsonObject, type JsonObject, memberOf, withMember } from "./json.ts";

/** The two forms of an object: sealed in the store, opened for readers and for merging. */
export interface SecretsAtRest {
  /** Encrypts private keys of the object, secret fields of its plugins and those of plugins' metadata. */
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
  const mapTexts = (value: JsonObject, map: typeof encryptFields): JsonObject => {
    const fields = definition.secretTextsOf?.(String(memberOf(value, "id")), catalog) ?? [];
    return mapPlugins(fields.length === 0 ? value : map(value, fields, keyring), map);
  };
  const mapPlugins = (value: JsonObject, map: typeof encryptFields): JsonObject => {
    const plugins = definition.plugins === undefined ? undefined : memberOf(value, "plugins");
    if (!isJsonObject(plugins)) return value;
    const mapped = Object.entries(plugins).map(([name, conf]) => {
      const fields = secretFieldsOf(definition.plugins, catalog.get(name));
      return [name, fields.length === 0 ? conf : map(conf, fields, keyring)];
    });
    return withMember(value, "plugins", Object.fromEntries(mapped));
  };
  return {
    seal: (value) => mapTexts(encryptPrivateKeys(value, definition.secretFields, keyring), encryptFields),
    open: (value) => mapTexts(value, decryptFields),
  };
}

/**
 * What is wrong with private keys that come encrypted, as they are read from another control plane: one that this
 * keyring does not open could never be used. Source: APISIX `ssl`, key.
 */
export function sealedKeyProblem(
  definition: ResourceDefinition,
  value: JsonObject,
  keyring: Keyring | undefined,
): string | undefined {
  const place = keyring && findUnreadablePrivateKey(value, definition.secretFields, keyring);
  if (place === undefined) return undefined;
  const pair = place.path === "keys" ? `failed to handle cert-key pair[${place.position}]: ` : "";
  return `${pair}failed to decrypt previous encrypted key`;
}

/** Whichever schema applies brings its own list. Plugins of stream routes are not encrypted, as in APISIX. */
function secretFieldsOf(place: ResourceDefinition["plugins"], plugin: PluginDefinition | undefined): readonly string[] {
  if (plugin === undefined || place === "stream") return [];
  const { consumerSchema, consumerSecretFields = [], secretFields = [] } = plugin;
  return place === "consumer" && consumerSchema !== undefined ? consumerSecretFields : secretFields;
}

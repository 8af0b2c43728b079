export { type CheckResult, checkValue } from "./check-value.ts";
export { defineResource, type ResourceDefinition, type ResourceMethod, type ResourceReference } from "./definition.ts";
export {
  createKeyring,
  DEFAULT_KEYRING,
  decryptFields,
  encryptFields,
  encryptPrivateKeys,
  type Keyring,
} from "./encryption.ts";
export { expressionProblem } from "./expression-check.ts";
export type { Upstream } from "./fields/upstream.ts";
export { schemaToJson, toJsonSchema } from "./json-schema.ts";
export {
  type CheckablePlugin,
  type CheckablePlugins,
  checkPlugins,
  type ParsedPluginConf,
  type PluginCheckOptions,
  type PluginMeta,
  type PluginPlace,
  parsePluginConf,
  pluginMeta,
} from "./plugin-check.ts";
export { type DefinitionOf, type Kind, type Resource, registry, type StoredResource } from "./resources/index.ts";
export { isSecretReference } from "./secret-reference.ts";
export {
  directoryOf,
  keyOf,
  PLACEHOLDER_DIRECTORIES,
  PLACEHOLDER_VALUE,
  parseKey,
  placeholderKeys,
} from "./store-layout.ts";
export { renderValidationError } from "./validation-message.ts";

export { type CheckResult, checkValue } from "./check-value.ts";
export {
  type Claim,
  defineResource,
  type ResourceDefinition,
  type ResourceMethod,
  type ResourceReference,
  type ResourceUser,
  type UniquenessRule,
} from "./definition.ts";
export { type DocumentItem, documentSections, emptyTableForNull, kindOfItem, readDocumentItem } from "./document.ts";
export {
  createKeyring,
  DEFAULT_KEYRING,
  decryptFields,
  encryptFields,
  encryptPrivateKeys,
  findUnreadablePrivateKey,
  type Keyring,
} from "./encryption.ts";
export { expressionProblem } from "./expression-check.ts";
export type { Upstream } from "./fields/upstream.ts";
export { schemaFragment } from "./fragments.ts";
export { type JsonDialect, schemaToJson, toJsonSchema } from "./json-schema.ts";
export { byUrlOrBody, type Identify } from "./naming.ts";
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
export {
  consumerSchemaToJson,
  type DescribablePlugin,
  describePluginSchemas,
  pluginSchemaToJson,
  type Subsystem,
} from "./plugin-schema.ts";
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

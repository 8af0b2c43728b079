import type { Consumer } from "@fngate/plugin-kit";
import { decryptFields, parsePluginConf, type Resource, registry } from "@fngate/schema";
import { buildObject, type ObjectStage } from "./object-stage.ts";
import { resolveReferences } from "./resolve-references.ts";
import type { CompiledConsumer, CompiledConsumerGroup, CompiledCredential, IdentityClaim } from "./snapshot.ts";
import { readResource, type StoredValue } from "./stored-object.ts";

type StoredPlugins = Resource<"consumer">["plugins"];

/** Compiles a consumer: who it is, what identifies it, and the plugins that its requests run. */
export function compileConsumer(id: string, stored: StoredValue, stage: ObjectStage): CompiledConsumer | undefined {
  const resource = readResource(registry.byKind("consumer"), stored, stage);
  if (resource === undefined) return undefined;
  const { auth, others } = splitPlugins(resource.plugins, stage);
  const consumer: Consumer = {
    name: resource.username,
    groupId: resource.group_id === undefined ? undefined : String(resource.group_id),
    labels: resource.labels ?? {},
    credentialId: undefined,
  };
  const claims = claimsOf(auth, stage);
  return buildObject({ id, plugins: others }, stage, (object) => ({
    ...object,
    consumer,
    owner: consumer.name,
    claims,
  }));
}

/** Compiles a credential; its id is `NAME/credentials/ID`. */
export function compileCredential(id: string, stored: StoredValue, stage: ObjectStage): CompiledCredential | undefined {
  const [owner = "", , credentialId = ""] = id.split("/");
  const resource = readResource(registry.byKind("credential"), { ...stored, id: credentialId }, stage);
  if (resource === undefined) return undefined;
  const claims = claimsOf(splitPlugins(resource.plugins, stage).auth, stage);
  return buildObject({ id, plugins: undefined }, stage, (object) => ({
    ...object,
    owner,
    credentialId,
    claims,
  }));
}

/** Compiles a consumer group. */
export function compileConsumerGroup(
  id: string,
  stored: StoredValue,
  stage: ObjectStage,
): CompiledConsumerGroup | undefined {
  const resource = readResource(registry.byKind("consumer_group"), stored, stage);
  return resource && buildObject({ id, plugins: resource.plugins }, stage, (object) => object);
}

/** Authentication plugins tell who calls and run on routes only; the others run for the consumer. */
function splitPlugins(stored: StoredPlugins, { deps }: ObjectStage) {
  const auth: [string, unknown][] = [];
  const others: [string, unknown][] = [];
  for (const entry of Object.entries(stored ?? {})) {
    (deps.catalog.get(entry[0])?.type === "auth" ? auth : others).push(entry);
  }
  return { auth, others: Object.fromEntries(others) };
}

function claimsOf(auth: readonly (readonly [string, unknown])[], stage: ObjectStage): readonly IdentityClaim[] {
  return auth.flatMap(([plugin, stored]) => claimOf(plugin, stored, stage) ?? []);
}

/** What a configuration identifies by; nothing when it is switched off or needs a secret that is not to be had. */
function claimOf(plugin: string, stored: unknown, { deps, findings }: ObjectStage): IdentityClaim | undefined {
  const definition = deps.catalog.get(plugin);
  if (definition === undefined || isSwitchedOff(stored)) return undefined;
  const path = `plugins.${plugin}`;
  const plain = decryptFields(stored, definition.consumerSecretFields ?? [], deps.keyring);
  const before = findings.list.length;
  const resolved = resolveReferences(plain, path, { environment: deps.environment, secrets: deps.secrets, findings });
  // Whoever sent the reference's own text would else be let in (APISIX plugins, authentication flow).
  if (findings.list.length > before) return undefined;
  const parsed = parsePluginConf(definition, resolved, "consumer");
  if (!parsed.ok) {
    findings.warn("INVALID_PLUGIN", path, `identifies nobody: ${parsed.message}`);
    return undefined;
  }
  const { config } = parsed.value;
  const identity =
    definition.identityField === undefined ? undefined : Reflect.get(Object(config), definition.identityField);
  return { plugin, identity: typeof identity === "string" ? identity : undefined, config };
}

function isSwitchedOff(stored: unknown): boolean {
  return Object(Object(stored)._meta).disable === true;
}

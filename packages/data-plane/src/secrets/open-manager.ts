import { checkValue, registry } from "@fngate/schema";
import { type AwsConfig, awsManager } from "./aws.ts";
import { type GcpAccount, type GcpConfig, gcpManager } from "./gcp.ts";
import { type ManagerTools, parseJson, type SecretManager } from "./secret-manager.ts";
import { type VaultConfig, vaultManager } from "./vault.ts";

type Opener = (config: unknown, tools: ManagerTools) => SecretManager;

/** By kind. The Admin API's schema has checked what is cast here. */
const OPENERS: Readonly<Record<string, Opener>> = {
  vault: (config, tools) => vaultManager(config as VaultConfig, tools),
  aws: (config, tools) => awsManager(config as AwsConfig, tools),
  gcp: (config, tools) => gcpManager(config as GcpConfig, { ...tools, checkAccount }),
};

/** Tells whether there are managers of a kind. */
export function isManagerKind(kind: string): boolean {
  return Object.hasOwn(OPENERS, kind);
}

/**
 * Opens a manager from what the store has under `secrets/<name>`, `name` being `<kind>/<id>`. Undefined when that is no
 * configuration of a manager that there is.
 */
export function openManager(name: string, text: string, tools: ManagerTools): SecretManager | undefined {
  const [kind = ""] = name.split("/", 1);
  const config = configOf(name, parseJson(text));
  return config === undefined || !isManagerKind(kind) ? undefined : OPENERS[kind]?.(config, tools);
}

/** The configuration with defaults; the schema is the Admin API's. */
function configOf(name: string, value: unknown): unknown {
  const schema = registry.byKind("secret").schemaFor?.(name, new Map());
  const checked = schema === undefined ? undefined : checkValue(schema, value);
  return checked?.ok ? checked.value : undefined;
}

function checkAccount(account: unknown): GcpAccount | undefined {
  return (configOf("gcp/file", { auth_config: account }) as GcpConfig | undefined)?.auth_config;
}

import { checkValue, registry } from "@fngate/schema";
import { type AwsConfig, awsManager } from "./aws.ts";
import { type GcpAccount, type GcpConfig, gcpManager } from "./gcp.ts";
import { type ManagerTools, parseJson, type SecretManager } from "./secret-manager.ts";
import { type VaultConfig, vaultManager } from "./vault.ts";

const KINDS: ReadonlySet<string> = new Set(["vault", "aws", "gcp"]);

/** Tells whether there are managers of a kind. */
export function isManagerKind(kind: string): boolean {
  return KINDS.has(kind);
}

/**
 * Opens a manager from what the store has under `secrets/<name>`, `name` being `<kind>/<id>`. Undefined when that is no
 * configuration of a manager that there is.
 */
export function openManager(name: string, text: string, tools: ManagerTools): SecretManager | undefined {
  const config = configOf(name, parseJson(text));
  if (config === undefined) return undefined;
  switch (name.split("/", 1)[0]) {
    case "vault":
      return vaultManager(config as VaultConfig, tools);
    case "aws":
      return awsManager(config as AwsConfig, tools);
    case "gcp":
      return gcpManager(config as GcpConfig, { ...tools, checkAccount });
    default:
      return undefined;
  }
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

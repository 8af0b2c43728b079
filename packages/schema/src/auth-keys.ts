import type { Claim, UniquenessRule } from "./definition.ts";
import { isRecord } from "./fields/rules.ts";
import type { CheckablePlugins } from "./plugin-check.ts";
import { isSecretReference } from "./secret-reference.ts";

/**
 * No two consumers or credentials may present the same key of an authentication plugin, or nobody could tell who
 * calls. References to secrets are not compared: what they stand for is known to data planes only. APISIX: duplicate
 * keys of consumers.
 */
export const authKeys: UniquenessRule = {
  among: ["consumer", "credential"],
  claims: ({ plugins: configured }, plugins) =>
    Object.entries(isRecord(configured) ? configured : {}).flatMap(([name, conf]) => claimOf(name, conf, plugins)),
};

function claimOf(name: string, conf: unknown, plugins: CheckablePlugins): readonly Claim[] {
  const field = plugins.get(name)?.identityField;
  const identity = field !== undefined && isRecord(conf) ? conf[field] : undefined;
  if (field === undefined || identity === undefined || isSecretReference(identity)) return [];
  return [
    {
      text: JSON.stringify([name, identity]),
      conflict: ({ id }) => `duplicate ${field} of plugin ${name} found with ${ownerOf(id)}`,
    },
  ];
}

/** `jack` is a consumer, `jack/credentials/c1` a credential. */
function ownerOf(id: string): string {
  const [username, , credential] = id.split("/");
  return credential === undefined ? `consumer: ${username}` : `credential: ${credential} of consumer: ${username}`;
}

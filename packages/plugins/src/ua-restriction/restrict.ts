import type { PluginInstance, Reply } from "@fngate/plugin-kit";
import { compilePatterns } from "../shared/patterns.ts";
import type { UaRestrictionConfig } from "./schema.ts";

/** Looks at every `User-Agent` of a request: one allowed lets it through, one denied refuses it. */
export function restrictAgents(config: UaRestrictionConfig): PluginInstance {
  const { allowlist, bypass_missing: isMissingAllowed, denylist, message } = config;
  const isListed = compilePatterns(allowlist ?? denylist ?? []);
  const isListedAllowed = allowlist !== undefined;
  const refusal: Reply = { kind: "reply", status: 403, body: { message } };
  return {
    access({ request }) {
      const agents = request.headers.getAll("user-agent");
      if (agents.length === 0) return isMissingAllowed ? undefined : refusal;
      return agents.some((agent) => isListed(agent.trim())) === isListedAllowed ? undefined : refusal;
    },
  };
}

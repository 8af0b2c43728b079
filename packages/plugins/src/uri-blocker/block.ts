import type { PluginInstance, Reply } from "@fngate/plugin-kit";
import { compilePatterns } from "../shared/patterns.ts";
import type { UriBlockerConfig } from "./schema.ts";

/** Searches the normalised path and the query for the rules. */
export function blockUris(config: UriBlockerConfig): PluginInstance {
  const { block_rules: rules, case_insensitive: ignoreCase, rejected_code: status, rejected_msg: message } = config;
  if (rules.length === 0) return {};
  const isBlocked = compilePatterns(rules, { ignoreCase });
  const refusal: Reply =
    message === undefined ? { kind: "reply", status } : { kind: "reply", status, body: { error_msg: message } };
  return {
    rewrite: ({ request: { path, query } }) =>
      isBlocked(query === "" ? path : `${path}?${query}`) ? refusal : undefined,
  };
}

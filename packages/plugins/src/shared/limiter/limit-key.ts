import { createHash } from "node:crypto";
import { compileTemplate, type RequestContext, textOf } from "@fngate/plugin-kit";

/** How `key` is meant (APISIX: `key_type`). */
export type KeyType = "var" | "var_combination" | "constant";

/** Who or what a request counts for. */
export type KeyOf = (context: RequestContext) => string;

/** Compiles a variable's name, a template of variables, or a text; where it has no value the client's address counts. */
export function compileKey(key: string, type: KeyType): KeyOf {
  if (type === "constant") return () => key;
  if (type === "var") return ({ request, variables }) => textOf(variables.get(key)) ?? request.remoteAddress;
  const template = compileTemplate(key);
  return ({ request, variables }) => template.resolve(variables) ?? request.remoteAddress;
}

/**
 * What the keys of one configuration begin with: where it stands and a digest of it. Another configuration counts
 * anew, the same one somewhere else counts for itself (APISIX: limit-count, counter key).
 */
export function scopeOf(owner: string, config: unknown): string {
  return `${owner}:${createHash("sha256").update(JSON.stringify(config)).digest("base64url")}`;
}

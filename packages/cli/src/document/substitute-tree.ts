import { GatewayError } from "@fngate/kernel";
import type { Environment } from "../config/environment.ts";
import { substitute } from "../config/substitute.ts";

/**
 * Replaces environment references in every text and key of parsed JSON, as APISIX does for `apisix.json`. Raises
 * `CONFIG_UNREADABLE` for a variable that is not set and has no default.
 */
export function substituteTree(value: unknown, environment: Environment): unknown {
  if (typeof value === "string") return replaced(value, environment)?.value ?? value;
  if (Array.isArray(value)) return value.map((item) => substituteTree(item, environment));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      replaced(key, environment)?.text ?? key,
      substituteTree(member, environment),
    ]),
  );
}

function replaced(text: string, environment: Environment): ReturnType<typeof substitute> {
  const substitution = substitute(text, environment);
  const [missing] = substitution?.missing ?? [];
  if (missing !== undefined) {
    throw new GatewayError("CONFIG_UNREADABLE", `can't find environment variable ${missing}`);
  }
  return substitution;
}

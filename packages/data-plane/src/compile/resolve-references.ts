import type { Findings } from "./findings.ts";

/** Environment variables of the process, by name. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** What resolving works with. */
export interface ReferenceStage {
  readonly environment: EnvironmentVariables;
  readonly findings: Findings;
}

/**
 * Replaces texts that refer to something by what they refer to, at any depth: `$env://NAME` (any case of `env`) is an
 * environment variable, `$env://NAME/key` a member of the JSON object in it. What cannot be resolved stays as it is
 * and is reported, and so does `$secret://`, for which there are no managers yet (APISIX: secret). Returns the value
 * itself when nothing in it is a reference.
 */
export function resolveReferences(value: unknown, path: string, stage: ReferenceStage): unknown {
  return mayRefer(value) ? resolveWithin(value, path, stage) : value;
}

/** Most configurations refer to nothing, and a start with 100,000 of them would take them all apart for that. */
function mayRefer(value: unknown): boolean {
  if (typeof value === "string") return value.startsWith("$");
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(mayRefer);
}

function resolveWithin(value: unknown, path: string, stage: ReferenceStage): unknown {
  if (typeof value === "string") return value.startsWith("$") ? resolveText(value, path, stage) : value;
  if (typeof value !== "object" || value === null) return value;
  let isChanged = false;
  const entries = Object.entries(value).map(([key, item]: [string, unknown]) => {
    const resolved = resolveWithin(item, `${path}.${key}`, stage);
    isChanged ||= resolved !== item;
    return [key, resolved] as const;
  });
  if (!isChanged) return value;
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

const ENVIRONMENT = /^\$env:\/\/([^/]*)(?:\/(.*))?$/is;

function resolveText(text: string, path: string, { environment, findings }: ReferenceStage): string {
  if (text.startsWith("$secret://")) {
    findings.warn("UNSUPPORTED_SECRET", path, `secret managers are not supported yet: ${text} is used as it stands`);
    return text;
  }
  const match = ENVIRONMENT.exec(text);
  if (match === null) return text;
  const [, name = "", key] = match;
  const variable = Object.hasOwn(environment, name) ? environment[name] : undefined;
  const found = variable === undefined || key === undefined ? variable : memberOf(variable, key);
  if (found !== undefined) return found;
  findings.warn("UNRESOLVED_REFERENCE", path, `${text} cannot be resolved and is used as it stands`);
  return text;
}

/** A member of a JSON object, by its whole name or step by step. */
function memberOf(json: string, key: string): string | undefined {
  const root = parseJson(json);
  const found = propertyOf(root, key) ?? key.split("/").reduce(propertyOf, root);
  return typeof found === "string" || typeof found === "number" || typeof found === "boolean"
    ? String(found)
    : undefined;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

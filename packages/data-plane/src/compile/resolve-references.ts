import type { SecretSource } from "../secrets/secret-book.ts";
import type { Findings } from "./findings.ts";

/** Environment variables of the process, by name. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** What resolving works with. */
export interface ReferenceStage {
  readonly environment: EnvironmentVariables;
  readonly secrets: SecretSource | undefined;
  readonly findings: Findings;
}

/**
 * Replaces texts that refer to something by what they refer to, at any depth: `$env://NAME` (any case of `env`) is an
 * environment variable, `$env://NAME/key` a member of the JSON object in it, `$secret://manager/id/key` what a secret manager has.
 * What cannot be resolved stays as it is and is reported; an object whose secret is not known yet has to wait, which is
 * an error of its. Returns the value itself when nothing in it is a reference. Source: APISIX, secret.
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

/** A text that may refer to the environment, resolved or else as it stands. */
export function resolveVariable(text: string, environment: EnvironmentVariables): string {
  return variableOf(text, environment) ?? text;
}

const ENVIRONMENT = /^\$env:\/\/([^/]*)(?:\/(.*))?$/is;

function resolveSecret(text: string, path: string, { findings, secrets }: ReferenceStage): string {
  const state = secrets?.lookup(text, findings.owner) ?? { ok: false, reason: "there are no secret managers" };
  if (state === "awaited") {
    findings.error("AWAITED_SECRET", path, `waits for ${text}`);
    return text;
  }
  if (state.ok) return state.value;
  findings.warn("UNRESOLVED_REFERENCE", path, `${text} cannot be resolved and is used as it stands: ${state.reason}`);
  return text;
}

function resolveText(text: string, path: string, stage: ReferenceStage): string {
  if (text.startsWith("$secret://")) return resolveSecret(text, path, stage);
  if (!ENVIRONMENT.test(text)) return text;
  const found = variableOf(text, stage.environment);
  if (found !== undefined) return found;
  stage.findings.warn("UNRESOLVED_REFERENCE", path, `${text} cannot be resolved and is used as it stands`);
  return text;
}

function variableOf(text: string, environment: EnvironmentVariables): string | undefined {
  const match = ENVIRONMENT.exec(text);
  if (match === null) return undefined;
  const [, name = "", key] = match;
  const variable = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return variable === undefined || key === undefined ? variable : memberOf(variable, key);
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

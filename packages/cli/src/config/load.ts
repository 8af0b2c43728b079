import { fileURLToPath } from "node:url";
import { GatewayError, messageOf } from "@fngate/kernel";
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import type { Environment } from "./environment.ts";
import { findIgnoredKeys } from "./ignored-keys.ts";
import type { Origins } from "./origins.ts";
import { OVERRIDES, type Override, variableOf } from "./overrides.ts";
import { readConfigFile } from "./read-file.ts";
import { type ConfigFile, configSchema } from "./schema.ts";
import { schemaFor, walk } from "./schema-walk.ts";
import { formatPath, isTreeMap, mergeTrees, type Path, type Tree, type TreeMap, valueAt, withValueAt } from "./tree.ts";

/** What the command line says about the configuration: flags by name, without dashes. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Where a configuration is loaded from. */
export interface LoadOptions {
  /** `config.yaml`; absent: the quick start that comes with the command. */
  readonly file: string | undefined;
  readonly environment: Environment;
  readonly flags: Flags;
}

/** The configuration that holds, and how it came about. */
export interface LoadedConfig {
  readonly config: ConfigFile;
  /** The same before parsing, with keys we do not read, for display. */
  readonly tree: TreeMap;
  readonly origins: Origins;
  /** One sentence per key of the file that does nothing. */
  readonly warnings: readonly string[];
  /** Whether no file was named. */
  readonly isQuickStart: boolean;
}

const QUICK_START_FILE = new URL("../../quick-start.yaml", import.meta.url);

/**
 * Loads the static configuration: flags over environment over file over defaults.
 *
 * Raises `CONFIG_UNREADABLE` for a missing or malformed file, and `CONFIG_INVALID` with every wrong value in
 * `details.problems`, each with path and origin. Keys that are unknown or not supported only make warnings.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const read = await readConfigFile({
    file: options.file ?? fileURLToPath(QUICK_START_FILE),
    title: options.file ?? "quick start",
    environment: options.environment,
  });
  const problems = [...read.problems];
  const merged = mergeTrees(DEFAULTS, read.tree);
  const texts = restoreTexts(merged, read.substitutedTexts);
  const tree = applyOverrides({ tree: texts, origins: read.origins, problems, options });
  requireFileForDataPlane(tree, options.file);
  const parsed = configSchema.safeParse(tree);
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    problems.push(`${formatPath(path)}: ${lowerFirst(issue.message)} (${read.origins.of(path)})`);
  }
  if (parsed.data === undefined || problems.length > 0) {
    throw new GatewayError("CONFIG_INVALID", `invalid configuration: ${problems.join("; ")}`, {
      details: { problems },
    });
  }
  const warnings = [
    ...findIgnoredKeys(read.tree, read.origins),
    ...read.forbiddenKeys.map((key) => `key ${key} is not allowed and was left out`),
  ];
  return { config: parsed.data, tree, origins: read.origins, warnings, isQuickStart: options.file === undefined };
}

/** Gives keys that must be texts their text back where substitution saw a number or a boolean. */
function restoreTexts(tree: TreeMap, substitutedTexts: ReadonlyMap<string, string>): TreeMap {
  const restored: { path: Path; text: string }[] = [];
  walk({ value: tree, schema: configSchema }, ({ path, value, schema }) => {
    const text = typeof value === "string" ? undefined : substitutedTexts.get(formatPath(path));
    if (text !== undefined && schema !== undefined && schemaFor(schema, value) instanceof z.ZodString) {
      restored.push({ path, text });
    }
    return true;
  });
  let result = tree;
  for (const { path, text } of restored) result = mapOf(replaceAt(result, path, text));
  return result;
}

function replaceAt(tree: Tree, [step, ...rest]: Path, value: Tree): Tree {
  if (step === undefined) return value;
  if (Array.isArray(tree)) return tree.map((item, index) => (index === step ? replaceAt(item, rest, value) : item));
  const map = mapOf(tree);
  return { ...map, [step]: replaceAt(map[step] ?? null, rest, value) };
}

function mapOf(tree: Tree): TreeMap {
  return isTreeMap(tree) ? tree : {};
}

interface OverrideRun {
  readonly tree: TreeMap;
  readonly origins: Origins;
  readonly problems: string[];
  readonly options: LoadOptions;
}

function applyOverrides({ tree, origins, problems, options }: OverrideRun): TreeMap {
  let result = tree;
  const apply = (override: Override, text: string, origin: string) => {
    const path = override.path.split(".");
    try {
      result = withValueAt(result, path, override.parse?.(text, result) ?? text);
      origins.replace(path, origin);
    } catch (error) {
      problems.push(`${override.path}: ${messageOf(error)} (${origin})`);
    }
  };
  for (const override of OVERRIDES) {
    const variable = variableOf(override, options.environment);
    const flag = override.flag === undefined ? undefined : options.flags[override.flag];
    if (typeof flag === "string") apply(override, flag, `flag --${override.flag}`);
    else if (variable !== undefined) apply(override, variable.text, `environment variable ${variable.name}`);
  }
  if (options.flags["no-sample-function"] === true) {
    result = withValueAt(result, ["fngate", "sample_function", "enable"], false);
    origins.replace(["fngate", "sample_function", "enable"], "flag --no-sample-function");
  }
  return result;
}

/** The quick start keeps its configuration in its own store, which a data plane of its own would never see filled. */
function requireFileForDataPlane(tree: TreeMap, file: string | undefined): void {
  if (file === undefined && valueAt(tree, ["deployment", "role"]) === "data_plane") {
    throw new GatewayError("CONFIG_INVALID", "role data_plane needs --config with the etcd it follows", {
      details: { problems: ["deployment.role: role data_plane needs --config FILE that names the etcd it follows"] },
    });
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

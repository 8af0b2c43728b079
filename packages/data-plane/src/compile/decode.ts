import type { StoreEntry } from "@fngate/store";
import type { Finding } from "../diagnostic.ts";
import type { MirrorChange } from "../mirror/mirror.ts";

/** Kinds that this data plane serves, by their directory in the store. */
const KINDS = {
  routes: "route",
  services: "service",
  upstreams: "upstream",
  plugin_configs: "plugin_config",
  global_rules: "global_rule",
  ssls: "ssl",
  consumers: "consumer",
  consumer_groups: "consumer_group",
  plugin_metadata: "plugin_metadata",
} as const;

/** A kind that has a table in the snapshot. */
export type CompiledKind = (typeof KINDS)[keyof typeof KINDS] | "credential";

/** What follows the directory in the key of a credential, which lies below its consumer. */
const CREDENTIAL_ID = /^[^/]+\/credentials\/[^/]+$/;

/** What APISIX writes under a directory's own key to make the directory exist. */
const PLACEHOLDER = "init_dir";

/** One changed object, read but not checked; without `value` it is gone, with `finding` it cannot be read. */
export interface DecodedChange {
  readonly key: string;
  readonly kind: CompiledKind;
  readonly id: string;
  readonly value: Readonly<Record<string, unknown>> | undefined;
  /** Where `value` was read from. */
  readonly entry: StoreEntry | undefined;
  readonly finding: Finding | undefined;
}

/** Reads one change of the mirror; nothing for placeholders and for directories that are not served. */
export function decodeChange(change: MirrorChange, prefix: string): DecodedChange | undefined {
  const path = change.key.slice(prefix.length + 1);
  const slash = path.indexOf("/");
  const directory = slash < 0 ? path : path.slice(0, slash);
  const id = slash < 0 ? "" : path.slice(slash + 1);
  if (!isServed(directory) || id === "" || change.entry?.value === PLACEHOLDER) return undefined;
  const kind = kindOf(directory, id);
  if (kind === undefined) return undefined;
  const base = { key: change.key, kind, id, entry: change.entry };
  if (change.entry === undefined) return { ...base, value: undefined, finding: undefined };
  const value = parseObject(change.entry.value);
  return value === undefined
    ? { ...base, value: undefined, finding: notAnObject() }
    : { ...base, value: { ...value, id }, finding: undefined };
}

/** Objects below an object (`services/s1/graphql_cost_decorations/d1`) are of kinds of their own. */
function kindOf(directory: keyof typeof KINDS, id: string): CompiledKind | undefined {
  if (!id.includes("/")) return KINDS[directory];
  return directory === "consumers" && CREDENTIAL_ID.test(id) ? "credential" : undefined;
}

function isServed(directory: string): directory is keyof typeof KINDS {
  return Object.hasOwn(KINDS, directory);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notAnObject(): Finding {
  return {
    severity: "error",
    code: "NOT_AN_OBJECT",
    path: "",
    message: "invalid item data, it should be an object",
  };
}

import { isIP } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { PluginCatalog } from "@fngate/plugin-kit";
import { checkValue, decryptFields, encryptFields, type Keyring, parsePluginConf, registry } from "@fngate/schema";
import type { CompiledObject, Snapshot } from "../compile/snapshot.ts";

/** Kinds that the Control API shows. */
export type ShownKind = "route" | "service" | "upstream";

/** What showing objects takes. */
export interface ObjectView {
  readonly catalog: PluginCatalog;
  readonly keyring: Keyring;
}

type Fields = Readonly<Record<string, unknown>>;

/** Objects rendered without a break: a few milliseconds. */
const OBJECTS_PER_TURN = 100;

/** All objects of a kind as JSON, in the order of their ids; other work goes on meanwhile. */
export async function renderLoaded(snapshot: Snapshot, kind: ShownKind, view: ObjectView): Promise<string> {
  const objects = [...snapshot.tables[kind].values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const parts: string[] = [];
  for (const [index, object] of objects.entries()) {
    if (index > 0 && index % OBJECTS_PER_TURN === 0) await nextTurn();
    parts.push(JSON.stringify(showLoaded(kind, object, view)));
  }
  return `[${parts.join(",")}]`;
}

/**
 * One object as it is in use: defaults filled in, nodes as a list (APISIX: Control API). Fields that are encrypted at
 * rest stay encrypted, where APISIX shows them to whoever asks.
 */
export function showLoaded(kind: ShownKind, object: CompiledObject, view: ObjectView): object {
  const { entry, id } = object;
  const modifiedIndex = Number(entry.modRevision);
  const value: Fields = { ...readValue(kind, entry.value, view), id };
  const upstream = kind === "upstream" ? value : asFields(value["upstream"]);
  return {
    key: entry.key,
    value: kind === "upstream" ? listNodes(value) : upstream ? { ...value, upstream: listNodes(upstream) } : value,
    createdIndex: Number(entry.createRevision),
    modifiedIndex,
    orig_modifiedIndex: modifiedIndex,
    has_domain: hasDomain(upstream),
    clean_handlers: {},
  };
}

function readValue(kind: ShownKind, text: string, view: ObjectView): Fields {
  const stored = asFields(JSON.parse(text)) ?? {};
  const { schema, secretFields } = registry.byKind(kind);
  const checked = checkValue(schema, decryptFields(stored, secretFields, view.keyring));
  if (!checked.ok) return stored;
  const value = asFields(encryptFields(checked.value, secretFields, view.keyring)) ?? stored;
  const plugins = asFields(value["plugins"]);
  return plugins === undefined ? value : { ...value, plugins: fillPlugins(plugins, view) };
}

/** Plugins with their defaults; what no plugin here takes is shown as it is stored. */
function fillPlugins(plugins: Fields, { catalog, keyring }: ObjectView): Fields {
  const filled = Object.entries(plugins).map(([name, stored]) => {
    const definition = catalog.get(name);
    const secretFields = definition?.secretFields ?? [];
    const parsed = definition && parsePluginConf(definition, decryptFields(stored, secretFields, keyring));
    if (!parsed?.ok) return [name, stored] as const;
    const { config, meta } = parsed.value;
    return [name, { ...asFields(encryptFields(config, secretFields, keyring)), _meta: meta }] as const;
  });
  return Object.fromEntries(filled);
}

function listNodes(upstream: Fields): Fields {
  const nodes = asFields(upstream["nodes"]);
  if (nodes === undefined) return upstream;
  return {
    ...upstream,
    nodes: Object.entries(nodes).map(([address, weight]) => ({ ...splitAddress(address), weight })),
  };
}

function splitAddress(address: string): { readonly host: string; readonly port?: number } {
  const found = /^(.*):(\d+)$/.exec(address);
  // A bare IPv6 address has colons and no port.
  if (found === null || isIP(address) === 6) return { host: address };
  return { host: found[1] ?? "", port: Number(found[2]) };
}

function hasDomain(upstream: Fields | undefined): boolean {
  const nodes = upstream === undefined ? undefined : listNodes(upstream)["nodes"];
  if (!Array.isArray(nodes)) return false;
  return nodes.some((node: unknown) => {
    const host = asFields(node)?.["host"];
    return typeof host === "string" && isIP(host.replace(/^\[|\]$/g, "")) === 0;
  });
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

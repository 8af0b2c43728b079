import { GatewayError } from "@fngate/kernel";
import { type ResourceDefinition, registry } from "@fngate/schema";
import { type AdminConnection, MAX_CONNECTIONS, reasonOf } from "./admin-connection.ts";

/** An object as an Admin API shows it. */
export interface LiveObject {
  readonly definition: ResourceDefinition;
  /** What follows the kind's directory in its store key. */
  readonly id: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Entity tag of this version. */
  readonly etag: string;
}

/** Everything that an Admin API has. */
export interface LiveConfiguration {
  readonly objects: readonly LiveObject[];
  /** Kinds that this gateway refuses to show, and why: stream routes without stream listeners. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Reads every object of every kind. Raises `ADMIN_UNREACHABLE` and `ADMIN_REFUSED`. */
export async function readLiveConfiguration(connection: AdminConnection): Promise<LiveConfiguration> {
  const refused = new Map<string, string>();
  const objects: LiveObject[] = [];
  const kinds = registry.all();
  for (const definition of kinds.filter(({ naming }) => naming?.parent === undefined)) {
    objects.push(...(await readList(connection, { definition, path: pathOf(definition), refused })));
  }
  for (const definition of kinds) {
    const parent = definition.naming?.parent;
    const owners = parent === undefined ? [] : objects.filter((object) => object.definition.kind === parent.kind);
    for (let start = 0; start < owners.length; start += MAX_CONNECTIONS) {
      const batch = owners.slice(start, start + MAX_CONNECTIONS).map(({ id }) => {
        return readList(connection, { definition, path: pathOf(definition, id), refused });
      });
      objects.push(...(await Promise.all(batch)).flat());
    }
  }
  return { objects, refused };
}

/** Path of an object below `/apisix/admin`; `id` is the one of its store key. */
export function objectPath(definition: ResourceDefinition, id: string): string {
  if (definition.naming?.parent === undefined) return `${pathOf(definition)}/${encodeId(id)}`;
  const [parent = "", own = ""] = id.split(`/${definition.plural}/`);
  return `${pathOf(definition, parent)}/${encodeId(own)}`;
}

function pathOf({ naming, plural }: ResourceDefinition, parent = ""): string {
  return (naming?.path ?? `/${plural}`).replace(":parent", encodeURIComponent(parent));
}

function encodeId(id: string): string {
  return id.split("/").map(encodeURIComponent).join("/");
}

async function readList(
  connection: AdminConnection,
  list: { readonly definition: ResourceDefinition; readonly path: string; readonly refused: Map<string, string> },
): Promise<LiveObject[]> {
  const { definition, path, refused } = list;
  const answer = await connection.send("GET", path);
  // Nothing of that kind, or of that owner.
  if (answer.status === 404) return [];
  if (answer.status === 400 && definition.subsystem !== undefined) {
    refused.set(definition.kind, reasonOf(answer));
    return [];
  }
  const { list: items } = Object(answer.body);
  if (answer.status !== 200 || !Array.isArray(items)) {
    throw new GatewayError("ADMIN_REFUSED", `GET ${path}: ${reasonOf(answer)}`);
  }
  return items.map((item: unknown) => liveObject(definition, item));
}

function liveObject(definition: ResourceDefinition, item: unknown): LiveObject {
  const { key, value, modifiedIndex } = Object(item);
  const directory = `/${definition.directory ?? definition.plural}/`;
  const id = String(key).slice(String(key).indexOf(directory) + directory.length);
  return { definition, id, value: Object(value), etag: `"${modifiedIndex}"` };
}

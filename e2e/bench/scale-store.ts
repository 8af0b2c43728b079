import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type ConfigStore, parseRevision } from "@fngate/store";
import { openEmbeddedStore } from "@fngate/store/embedded";
import { startEtcd, tempDirectory } from "@fngate/test-kit";

/** What is written into a store: key below the prefix and value. */
export interface Item {
  readonly key: string;
  readonly value: string;
}

/** A store under measurement, and what a gateway needs to use it. */
export interface ScaleStore extends AsyncDisposable {
  readonly name: string;
  /** Section `deployment` of a gateway on it. */
  readonly deployment: object;
  /** `data_dir` of a gateway on it. */
  readonly dataDirectory: string;
  /** Items written by one transaction of {@link write}. */
  readonly batch: number;
  /** Fills the store, by whatever way is quick. */
  seed(items: readonly Item[]): Promise<void>;
  /** Writes items as clients would. */
  write(items: readonly Item[]): Promise<void>;
  /** Takes the store away and gives it back; absent where it cannot be away. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
}

/** etcd takes at most 128 operations per transaction. */
const SEED_BATCH = 100;

/** A real etcd in a process of its own. */
export async function startEtcdStore(): Promise<ScaleStore> {
  const etcd = await startEtcd();
  const directory = await tempDirectory();
  const write = async (items: readonly Item[]): Promise<void> => {
    const success = items.map(({ key, value }) => ({
      request_put: { key: base64(`/apisix/${key}`), value: base64(value) },
    }));
    await etcd.call("kv/txn", { success });
  };
  return {
    name: "etcd",
    deployment: { role: "data_plane", role_data_plane: { config_provider: "etcd" }, etcd: { host: [etcd.url] } },
    dataDirectory: directory.path,
    batch: 10,
    seed: async (items) => {
      for (let start = 0; start < items.length; start += SEED_BATCH) {
        await write(items.slice(start, start + SEED_BATCH));
      }
    },
    write,
    outage: { begin: () => etcd.stop(), end: () => etcd.restart() },
    [Symbol.asyncDispose]: async () => {
      await etcd[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The embedded store, written by this process and read by the gateway's. */
export async function startEmbeddedStore(): Promise<ScaleStore> {
  const directory = await tempDirectory();
  const path = join(directory.path, "store.sqlite");
  const store = openEmbeddedStore({ path });
  const write = async (items: readonly Item[]): Promise<void> => {
    for (const { key, value } of items) {
      await store.put(`/apisix/${key}`, value);
      // The write blocks: whatever else this process measures gets its turn.
      await nextTurn();
    }
  };
  return {
    name: "embedded",
    deployment: {
      role: "traditional",
      role_traditional: { config_provider: "embedded" },
      admin: { admin_listen: { ip: "127.0.0.1", port: 0 } },
    },
    dataDirectory: directory.path,
    batch: 1,
    seed: (items) => insertAtOnce(path, store, items),
    write,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** One transaction past the store's own interface, which makes every single write durable. */
async function insertAtOnce(path: string, store: ConfigStore, items: readonly Item[]): Promise<void> {
  const { revision } = await store.list("/nothing/");
  const database = new DatabaseSync(path);
  database.exec("BEGIN IMMEDIATE");
  const insert = database.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, NULL)");
  let next = Number(revision);
  for (const { key, value } of items) {
    next += 1;
    insert.run(`/apisix/${key}`, value, next, next);
  }
  database.prepare("UPDATE position SET revision = ?, compacted = ?").run(Number(parseRevision(next)), next);
  database.exec("COMMIT");
  database.close();
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

import type { MirrorChange } from "../mirror/mirror.ts";
import { isManagerKind, openManager } from "./open-manager.ts";
import { type ManagerTools, noSecret, type SecretAnswer, type SecretManager } from "./secret-manager.ts";

/** What is known of a secret when an object that needs it is compiled. */
export type SecretState = SecretAnswer | "awaited";

/** Where compiling looks secrets up. */
export interface SecretSource {
  /**
   * What `$secret://<manager>/<id>/<key>` stands for. What is not known yet is asked for, and the owner (`route/1`)
   * is compiled again when there is news of it.
   */
  lookup(reference: string, owner: string): SecretState;
}

export interface SecretBookOptions extends ManagerTools {
  readonly cache?: SecretCacheOptions | undefined;
  /** Key prefix in the store, without trailing slash. */
  readonly prefix: string;
  /** Told of owners for which a secret is no longer what it was. */
  readonly onNews: (owners: readonly string[]) => void;
  /** Whether an owner still exists. */
  readonly isAlive: (owner: string) => boolean;
}

/** How long secrets hold, and how many are kept. Defaults and source: APISIX's `apisix.lru.secret`. */
export interface SecretCacheOptions {
  /** Milliseconds after which a value is asked for again; default 300000. */
  readonly ttlMs?: number | undefined;
  /** The same for a failure; default 60000. */
  readonly failureTtlMs?: number | undefined;
  /** More secrets than these, failures included, cannot be had; default 512. */
  readonly maxSecrets?: number | undefined;
}

const REFERENCE = /^\$secret:\/\/([^/]+)\/([^/]+)\/(.+)$/s;

interface Entry {
  readonly manager: string;
  readonly id: string;
  readonly key: string;
  readonly owners: Set<string>;
  state: SecretState;
  /** Counts changes of its manager's settings. */
  generation: number;
  /** Generation of the settings that the state comes from. */
  known: number;
  /** Ends the wait for the next look. */
  waiting: AbortController | undefined;
}

/**
 * Keeps the secrets that compiled objects refer to, and looks them up again before they are stale. A value that is
 * known holds on while its manager is away.
 */
export class SecretBook implements SecretSource {
  readonly #options: SecretBookOptions;
  readonly #managers = new Map<string, SecretManager>();
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();
  readonly #ttlMs: number;
  readonly #failureTtlMs: number;
  readonly #maxSecrets: number;

  constructor(options: SecretBookOptions) {
    this.#options = options;
    const { failureTtlMs = 60_000, maxSecrets = 512, ttlMs = 300_000 } = options.cache ?? {};
    this.#ttlMs = ttlMs;
    this.#failureTtlMs = failureTtlMs;
    this.#maxSecrets = maxSecrets;
  }

  /** Takes the managers' settings from changes of the store. */
  observe(changes: readonly MirrorChange[]): void {
    const directory = `${this.#options.prefix}/secrets/`;
    for (const { key, entry } of changes) {
      if (!key.startsWith(directory)) continue;
      const name = key.slice(directory.length);
      const manager = entry === undefined ? undefined : openManager(name, entry.value, this.#options);
      if (manager === undefined) this.#managers.delete(name);
      else this.#managers.set(name, manager);
      for (const known of this.#entries.values()) {
        if (`${known.manager}/${known.id}` !== name) continue;
        known.generation += 1;
        known.waiting?.abort();
      }
    }
  }

  lookup(reference: string, owner: string): SecretState {
    const known = this.#entries.get(reference);
    if (known !== undefined) {
      known.owners.add(owner);
      return known.state;
    }
    const [, manager = "", id = "", key = ""] = REFERENCE.exec(reference) ?? [];
    if (key === "") return { ok: false, reason: "it names no manager, id and key" };
    if (!isManagerKind(manager)) return { ok: false, reason: `there are no secret managers of kind ${manager}` };
    const most = this.#maxSecrets;
    if (this.#entries.size >= most) return { ok: false, reason: `more than ${most} secrets are in use` };
    const owners = new Set([owner]);
    const entry: Entry = { manager, id, key, owners, state: "awaited", generation: 0, known: 0, waiting: undefined };
    this.#entries.set(reference, entry);
    void this.#follow(reference, entry);
    return entry.state;
  }

  /** Asks no more. */
  stop(): void {
    this.#stopping.abort();
    for (const { waiting } of this.#entries.values()) waiting?.abort();
  }

  async #follow(reference: string, entry: Entry): Promise<void> {
    while (!this.#stopping.signal.aborted && this.#isNeeded(entry)) {
      const { generation } = entry;
      const answer = await this.#ask(entry);
      if (this.#stopping.signal.aborted) return;
      if (generation !== entry.generation) continue;
      this.#learn(entry, answer);
      entry.waiting = new AbortController();
      const ttlMs = answer.ok ? this.#ttlMs : this.#failureTtlMs;
      await this.#options.clock.sleep(ttlMs, entry.waiting.signal).catch(() => {});
      entry.waiting = undefined;
    }
    this.#entries.delete(reference);
  }

  #isNeeded({ owners }: Entry): boolean {
    for (const owner of owners) if (this.#options.isAlive(owner)) return true;
    return false;
  }

  async #ask({ manager, id, key }: Entry): Promise<SecretAnswer> {
    const name = `${manager}/${id}`;
    return this.#managers.get(name)?.read(key) ?? noSecret(`there is no secret manager ${name}`);
  }

  #learn(entry: Entry, answer: SecretAnswer): void {
    const before = entry.state;
    const isOldGood = before !== "awaited" && before.ok && entry.known === entry.generation;
    entry.known = entry.generation;
    if (isOldGood && (!answer.ok || answer.value === before.value)) return;
    entry.state = answer;
    if (JSON.stringify(before) === JSON.stringify(answer)) return;
    this.#options.onNews([...entry.owners]);
  }
}

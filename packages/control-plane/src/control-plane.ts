import { once } from "node:events";
import type { RequestListener, Server } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError, messageOf } from "@fngate/kernel";
import { registry } from "@fngate/schema";
import { createAdminServer } from "./admin-server.ts";
import { createApp } from "./app.ts";
import { BoundedStore } from "./bounded-store.ts";
import { assertIsDashboard } from "./dashboard.ts";
import { assertAdminKeysAreSafe } from "./key-safety.ts";
import type { AdminListen, ControlPlaneOptions } from "./options.ts";
import { ensurePlaceholders } from "./placeholders.ts";
import { StoreMirror } from "./store-mirror.ts";
import { UniquenessGuard } from "./uniqueness.ts";
import { VersionMemory } from "./version-memory.ts";

/** How long {@link ControlPlane.start} waits for the placeholder keys before they become a background matter. */
const PLACEHOLDER_PATIENCE_MS = 1_000;
/** Turns of the event loop in which idle connections and their server close: one for the sockets, one for the server. */
const TURNS_TO_CLOSE = 2;

/** How {@link ControlPlane.stop} ends; without either it waits for running requests as long as they take. */
export interface StopOptions {
  /** Gives up waiting when it fires. */
  readonly signal?: AbortSignal;
  /** Milliseconds to wait for running requests; 0: they are cut at once. */
  readonly deadlineMs?: number;
}

/** The Admin API of one process; it starts and stops once. */
export interface ControlPlane {
  /**
   * Listens, and writes the store's placeholder keys, in the background if the store cannot be reached. Raises
   * `CONFIG_INVALID` (see {@link assertAdminKeysAreSafe}, {@link assertIsDashboard}) and `LISTEN_FAILED`.
   */
  start(): Promise<void>;
  /** Where it really listens; undefined before {@link ControlPlane.start} and after {@link ControlPlane.stop}. */
  readonly address: AdminListen | undefined;
  /**
   * Stops accepting, lets running requests end, closes. Connections still busy when the time is up are destroyed,
   * and `LIFECYCLE_DRAIN_TIMEOUT` is raised. Idempotent.
   */
  stop(options?: StopOptions): Promise<void>;
}

/** Builds the Admin API; nothing listens before `start`. Raises `CONFIG_INVALID` when addresses or certificates cannot be read. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  return new HttpControlPlane(options);
}

class HttpControlPlane implements ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #store: BoundedStore;
  readonly #mirror: StoreMirror;
  readonly #server: Server;
  readonly #stopping = new AbortController();
  #placeholders: Promise<void> = Promise.resolve();

  constructor(options: ControlPlaneOptions) {
    const { store, prefix, catalog, keyring, clock } = options;
    this.#options = options;
    this.#store = new BoundedStore(store);
    this.#mirror = new StoreMirror({ store: this.#store, prefix, logger: options.logger, clock });
    const shared = { mirror: this.#mirror, prefix, catalog, keyring, kinds: registry };
    const handler: RequestListener = createApp(options, {
      ...shared,
      store: this.#store,
      clock,
      uniqueness: new UniquenessGuard(shared),
      versions: new VersionMemory(this.#mirror),
    });
    this.#server = createAdminServer(handler, options.tls);
    this.#server.on("request", (_request, response) => {
      // A keep-alive connection counts as busy until its answer is out; closing the server does not look again.
      response.once("close", () => {
        if (this.#stopping.signal.aborted) setImmediate(() => this.#server.closeIdleConnections());
      });
    });
  }

  get address(): AdminListen | undefined {
    const address = this.#server.address();
    if (address === null) return undefined;
    return typeof address === "string" ? { socketPath: address } : { host: address.address, port: address.port };
  }

  async start(): Promise<void> {
    assertAdminKeysAreSafe(this.#options);
    const { dashboardDirectory } = this.#options;
    if (dashboardDirectory !== undefined) await assertIsDashboard(dashboardDirectory);
    await this.#listen();
    // In a document there are no directories, and nobody writes single keys to it.
    if (this.#options.document !== undefined) return;
    const { prefix, logger, clock } = this.#options;
    const { signal } = this.#stopping;
    this.#placeholders = ensurePlaceholders({ store: this.#store, prefix, logger, clock, signal });
    const patience = new AbortController();
    const patienceOver = clock.sleep(PLACEHOLDER_PATIENCE_MS, patience.signal).catch(() => {});
    await Promise.race([this.#placeholders, patienceOver]);
    patience.abort();
  }

  async stop(options: StopOptions = {}): Promise<void> {
    this.#stopping.abort();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    const isDrained = await this.#drained(closed, options);
    if (!isDrained) this.#server.closeAllConnections();
    await closed;
    this.#mirror.stop();
    await this.#placeholders;
    if (!isDrained) {
      throw new GatewayError("LIFECYCLE_DRAIN_TIMEOUT", "admin requests were still running when the time was up");
    }
  }

  async #listen(): Promise<void> {
    const { listen } = this.#options;
    try {
      const listening = once(this.#server, "listening");
      this.#server.listen("host" in listen ? { host: listen.host, port: listen.port } : { path: listen.socketPath });
      await listening;
    } catch (error) {
      const place = "host" in listen ? `${listen.host}:${listen.port}` : listen.socketPath;
      const message = `the admin API cannot listen on ${place}: ${messageOf(error)}`;
      throw new GatewayError("LISTEN_FAILED", message, { cause: error });
    }
    this.#server.on("error", (error) => this.#options.logger.error({ error: error.message }, "admin listener failed"));
  }

  async #drained(closed: Promise<unknown>, { signal, deadlineMs }: StopOptions): Promise<boolean> {
    const limits: Promise<boolean>[] = [];
    const done = new AbortController();
    if (deadlineMs !== undefined) limits.push(this.#passed(deadlineMs, done.signal));
    if (signal !== undefined) limits.push(whenAborted(signal, done.signal));
    const isDrained = await Promise.race([closed.then(() => true), ...limits]);
    done.abort();
    return isDrained;
  }

  async #passed(deadlineMs: number, done: AbortSignal): Promise<false> {
    // No time to wait is no matter for the clock; idle connections take a turn of the event loop to close.
    if (deadlineMs > 0) await this.#options.clock.sleep(deadlineMs, done).catch(() => {});
    else for (let turn = 0; turn < TURNS_TO_CLOSE; turn += 1) await nextTurn();
    return false;
  }
}

async function whenAborted(signal: AbortSignal, done: AbortSignal): Promise<boolean> {
  if (!signal.aborted) await once(signal, "abort", { signal: done }).catch(() => {});
  return false;
}

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { GatewayError, messageOf } from "@fngate/kernel";
import { registry } from "@fngate/schema";
import { createApp } from "./app.ts";
import { BoundedStore } from "./bounded-store.ts";
import { assertAdminKeysAreSafe } from "./key-safety.ts";
import type { AdminListen, ControlPlaneOptions } from "./options.ts";
import { ensurePlaceholders } from "./placeholders.ts";
import { declaredLength, MAX_BODY_BYTES } from "./request-body.ts";
import { StoreMirror } from "./store-mirror.ts";
import { UniquenessGuard } from "./uniqueness.ts";

/** Longest wait for a request's head and for the whole request, in milliseconds; bodies are small, so are these. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How long an idle connection is kept, in milliseconds; nginx's default, which APISIX's clients are used to. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** How long {@link ControlPlane.start} waits for the placeholder keys before they become a background matter. */
const PLACEHOLDER_PATIENCE_MS = 1_000;

/** How {@link ControlPlane.stop} ends; without either it waits for running requests as long as they take. */
export interface StopOptions {
  /** Gives up waiting when it fires. */
  readonly signal?: AbortSignal;
  /** Milliseconds to wait for running requests. */
  readonly deadlineMs?: number;
}

/** The Admin API of one process; it starts and stops once. */
export interface ControlPlane {
  /**
   * Listens, and writes the store's placeholder keys, in the background if the store cannot be reached. Raises
   * `CONFIG_INVALID` (see {@link assertAdminKeysAreSafe}) and `LISTEN_FAILED`.
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

/** Builds the Admin API; nothing listens before `start`. Raises `CONFIG_INVALID` when `allowedAddresses` cannot be read. */
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
    });
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      handler,
    );
    this.#server.on("checkContinue", (request, response) => {
      // A body that will be refused need not be sent at all.
      if (declaredLength(request) <= MAX_BODY_BYTES) response.writeContinue();
      handler(request, response);
    });
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
    await this.#listen();
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
    if (deadlineMs !== undefined) {
      limits.push(
        this.#options.clock.sleep(deadlineMs, done.signal).then(
          () => false,
          () => false,
        ),
      );
    }
    if (signal !== undefined) limits.push(whenAborted(signal, done.signal));
    const isDrained = await Promise.race([closed.then(() => true), ...limits]);
    done.abort();
    return isDrained;
  }
}

async function whenAborted(signal: AbortSignal, done: AbortSignal): Promise<boolean> {
  if (!signal.aborted) await once(signal, "abort", { signal: done }).catch(() => {});
  return false;
}

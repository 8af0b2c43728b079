import { SideDesk } from "@fngate/data-plane/side";
import type { Clock, Logger } from "@fngate/kernel";
import type { AdminAddress, ProxySettings, Settings } from "../config/settings.ts";
import type { BoundListener } from "../listening.ts";
import type { Reloadable } from "../reload.ts";
import { createClusterForker } from "./cluster-forker.ts";
import { reloadedSettings } from "./reloaded-settings.ts";
import { WorkerPool } from "./worker-pool.ts";
import { createTicketSecret, type WorkersShare, workerSettings } from "./worker-settings.ts";

export interface ServingWorkersOptions {
  readonly settings: Settings;
  readonly proxy: ProxySettings;
  readonly count: number;
  /** Where workers find the Admin API, unless their settings say so. */
  readonly admin: AdminAddress;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onListening: (bound: BoundListener) => void;
}

/** The data plane in processes of its own; what is asked beside the traffic is asked of all of them here. */
export class ServingWorkers implements Reloadable {
  readonly #drainMs: number;
  readonly #share: WorkersShare;
  readonly #pool: WorkerPool;
  readonly #desk: SideDesk;
  /** What the workers run by. */
  #settings: Settings;

  constructor({ settings, proxy, count, admin, clock, logger, onListening }: ServingWorkersOptions) {
    this.#settings = settings;
    this.#drainMs = settings.drainMs;
    this.#share = { admin, ticketSecret: createTicketSecret() };
    const settingsOf = workerSettings(settings, this.#share);
    this.#pool = new WorkerPool({ count, fork: createClusterForker(), settingsOf, clock, logger, onListening });
    const { metrics, status, control } = proxy;
    this.#desk = new SideDesk(
      {
        ...{ metrics, status, control, logger },
        onListening: (listener, host, port) =>
          onListening({ listener: listener === "http" ? "proxy" : listener, host, port }),
      },
      this.#pool,
    );
  }

  get isReady(): boolean {
    return this.#pool.notReady === undefined;
  }

  /** Raises what keeps a worker from serving, or a listener beside the traffic from being bound; none runs then. */
  async start(): Promise<void> {
    await this.#pool.start();
    try {
      await this.#desk.listen();
    } catch (error) {
      this.#pool.kill();
      throw error;
    }
  }

  /** Lets the workers end within so many milliseconds; raises `LIFECYCLE_DRAIN_TIMEOUT` when one does not. */
  async stop({ deadlineMs }: { readonly deadlineMs: number }): Promise<void> {
    try {
      await this.#pool.stop({ deadlineMs });
    } finally {
      await this.#desk.close();
    }
  }

  readonly reload = async (read: Settings): Promise<readonly string[]> => {
    const { settings, waiting } = reloadedSettings(this.#settings, read);
    await this.#pool.reload(workerSettings(settings, this.#share), this.#drainMs);
    this.#settings = settings;
    return waiting;
  };

  /** Lets every worker open its log files again. */
  reopenLogs(): void {
    this.#pool.reopenLogs();
  }
}

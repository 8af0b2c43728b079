import type { Logger } from "@fngate/kernel";
import type { BoundAddress, ListenAddress, ListenerName, MetricsOptions } from "../options.ts";
import { isRead, type SideAnswer, type SideHandler, SideListener, type SideRequest } from "./side-listener.ts";
import { createStatusHandler } from "./status-answers.ts";

/** What the listeners beside the traffic tell about: one data plane, or several processes of one. */
export interface SideSource {
  /** Prometheus' text format. */
  renderMetrics(): Promise<SideAnswer>;
  /** Why requests are not yet answered according to a complete configuration, in APISIX's words; nothing when they are. */
  readonly notReady: string | undefined;
  /** Answers a request to the Control API; nothing for one that it does not know. */
  control(request: SideRequest): Promise<SideAnswer | undefined>;
}

/** Which listeners there are beside the traffic, and where. */
export interface SideDeskOptions {
  readonly metrics?: MetricsOptions | undefined;
  readonly status?: ListenAddress | undefined;
  /** APISIX's Control API; it asks nobody who they are. */
  readonly control?: ListenAddress | undefined;
  readonly logger: Logger;
  /** Called once per listener when it accepts connections. */
  readonly onListening?: ((listener: ListenerName, host: string, port: number) => void) | undefined;
}

/** Default of {@link MetricsOptions.uri}. */
const METRICS_URI = "/apisix/prometheus/metrics";

/** The listeners beside the traffic: metrics, status and Control API. */
export class SideDesk {
  readonly #options: SideDeskOptions;
  readonly #source: SideSource;
  readonly #listeners: SideListener[] = [];
  readonly #addresses: BoundAddress[] = [];

  constructor(options: SideDeskOptions, source: SideSource) {
    this.#options = options;
    this.#source = source;
  }

  /** What is bound, with real ports. */
  get addresses(): readonly BoundAddress[] {
    return this.#addresses;
  }

  /** Binds what there is to bind; raises `LISTEN_FAILED`, after which {@link SideDesk.close} is still to be called. */
  async listen(): Promise<void> {
    const { control, metrics, status } = this.#options;
    const source = this.#source;
    if (metrics !== undefined) await this.#bind("metrics", metrics, metricsHandler(source, metrics.uri));
    if (status !== undefined)
      await this.#bind(
        "status",
        status,
        createStatusHandler(() => source.notReady),
      );
    if (control !== undefined) await this.#bind("control", control, (request) => source.control(request));
  }

  /** Stops all at once. */
  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  async #bind(name: ListenerName, address: ListenAddress, handler: SideHandler): Promise<void> {
    const listener = new SideListener(handler, this.#options.logger);
    const bound = await listener.listen(address);
    this.#listeners.push(listener);
    this.#addresses.push({ listener: name, ...bound });
    this.#options.onListening?.(name, bound.host, bound.port);
  }
}

function metricsHandler(source: SideSource, uri = METRICS_URI): SideHandler {
  return (request) => (isRead(request) && request.path === uri ? source.renderMetrics() : undefined);
}

import type { Clock, Logger } from "@fngate/kernel";
import type { CheckLimits, CheckSettings } from "./check-settings.ts";
import { type FailureKind, NodeHealth } from "./node-health.ts";
import type { Observation, Probe, ProbeTarget } from "./probe.ts";

/** A node as health checks know it. */
export interface HealthTarget extends ProbeTarget {
  /** `checks.active.host`, else the address: part of what tells two targets apart. */
  readonly hostname: string;
}

/** One version of an upstream's checks. */
export interface HealthPlan {
  readonly settings: CheckSettings;
  /** Targets by {@link targetKey}, in the order of the configuration. */
  readonly targets: ReadonlyMap<string, HealthTarget>;
}

/** What a checker works with. */
export interface CheckerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly probe: Probe;
}

/** What tells targets apart (APISIX: address, port and probe host). */
export function targetKey({ ip, port, hostname }: HealthTarget): string {
  return `${ip} ${port} ${hostname}`;
}

/**
 * The health of one upstream's nodes, shared by all versions of the upstream: nodes that stay keep their state whatever
 * else changes. The version that came last says which nodes there are and how they are probed.
 *
 * Probing begins with the first request (APISIX does so about a second after it), and the first probe comes one
 * interval later.
 */
export class HealthChecker {
  /** Changes whenever a node goes up or down, or nodes come or go. */
  version = 0;
  /** Key of the object that holds the upstream. */
  readonly name: string;
  readonly #deps: CheckerDeps;
  readonly #plans: HealthPlan[] = [];
  #nodes = new Map<string, NodeHealth>();
  #running: AbortController | undefined;
  #isInUse = false;

  constructor(name: string, deps: CheckerDeps) {
    this.name = name;
    this.#deps = deps;
  }

  /** Puts a version in force. */
  add(plan: HealthPlan): void {
    const previous = this.#plan;
    this.#plans.push(plan);
    this.#follow(previous);
  }

  /** Takes a version out; the one before it is in force again if there is one. */
  remove(plan: HealthPlan): void {
    const previous = this.#plan;
    this.#plans.splice(this.#plans.indexOf(plan), 1);
    if (this.#plan === undefined) this.close();
    else this.#follow(previous);
  }

  /** Whether any version is in force; without one it is kept for requests that still run. */
  get isInForce(): boolean {
    return this.#plan !== undefined;
  }

  /** Called for each request: probing begins with the first one. */
  use(): void {
    if (this.#isInUse) return;
    this.#isInUse = true;
    this.#restart();
  }

  /** What is known of a target; nothing for one that is not in force. */
  healthOf(key: string): NodeHealth | undefined {
    return this.#nodes.get(key);
  }

  /** Targets with their health; none before the first request, as in APISIX. */
  list(): readonly { readonly target: HealthTarget; readonly health: NodeHealth }[] {
    if (!this.#isInUse) return [];
    return [...(this.#plan?.targets ?? [])].flatMap(([key, target]) => {
      const health = this.#nodes.get(key);
      return health === undefined ? [] : [{ target, health }];
    });
  }

  get type(): CheckSettings["type"] {
    return this.#plan?.settings.type ?? "http";
  }

  reportSuccess(key: string, limits: CheckLimits): void {
    this.#report(key, (health) => health.reportSuccess(limits.successes));
  }

  reportFailure(key: string, kind: FailureKind, limits: CheckLimits): void {
    this.#report(key, (health) => health.reportFailure(kind, limits.failures[kind]));
  }

  close(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  get #plan(): HealthPlan | undefined {
    return this.#plans.at(-1);
  }

  /** Brings nodes and probing in line with the plan in force. */
  #follow(previous: HealthPlan | undefined): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    const nodes = new Map<string, NodeHealth>();
    for (const key of plan.targets.keys()) nodes.set(key, this.#nodes.get(key) ?? new NodeHealth());
    this.#nodes = nodes;
    this.version += 1;
    if (previous?.settings.fingerprint !== plan.settings.fingerprint && this.#isInUse) this.#restart();
  }

  #restart(): void {
    this.#running?.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    const { intervalMs } = this.#plan?.settings ?? { intervalMs: { up: 0, down: 0 } };
    if (intervalMs.up > 0) void this.#probeRegularly(true, intervalMs.up, signal);
    if (intervalMs.down > 0) void this.#probeRegularly(false, intervalMs.down, signal);
  }

  /** Probes the nodes that are up, or those that are down, until aborted. */
  async #probeRegularly(isUp: boolean, intervalMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(intervalMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.#probeAll(isUp, signal);
    }
  }

  async #probeAll(isUp: boolean, signal: AbortSignal): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined) return;
    const due = [...plan.targets].filter(([key]) => this.#nodes.get(key)?.isUp === isUp);
    const waiting = due.values();
    // Each of the runners takes the next target off the same iterator.
    const run = async (): Promise<void> => {
      for (const [key, target] of waiting) {
        const observation = await this.#deps.probe(target, plan.settings.probe, signal);
        if (observation !== undefined && !signal.aborted) this.#observe(key, observation, plan.settings.active);
      }
    };
    await Promise.all(Array.from({ length: Math.min(plan.settings.concurrency, due.length) }, run));
  }

  #observe(key: string, observation: Observation, limits: CheckLimits): void {
    if (observation.kind === "failed") this.reportFailure(key, observation.failure, limits);
    else if (observation.kind === "connected" || limits.healthyStatuses.has(observation.status)) {
      this.reportSuccess(key, limits);
    } else if (limits.unhealthyStatuses.has(observation.status)) this.reportFailure(key, "http", limits);
  }

  #report(key: string, report: (health: NodeHealth) => void): void {
    const health = this.#nodes.get(key);
    if (health === undefined) return;
    const { isUp } = health;
    report(health);
    if (health.isUp === isUp) return;
    this.version += 1;
    const { logger } = this.#deps;
    const fields = { upstream: this.name, node: key, counters: health.counters };
    if (isUp) logger.warn(fields, "upstream node is unhealthy");
    else logger.info(fields, "upstream node is healthy again");
  }
}

import type { Usage } from "@fngate/kernel";
import type { AttemptEnd, AttemptObserver } from "../upstream/attempt-observer.ts";
import type { NodeFilter } from "../upstream/balancers/balancer.ts";
import { statusOf } from "../upstream/failure-status.ts";
import type { UpstreamNode } from "../upstream/upstream-node.ts";
import type { CheckSettings } from "./check-settings.ts";
import { type HealthChecker, type HealthPlan, type HealthTarget, targetKey } from "./health-checker.ts";

/** How the nodes of an upstream appear to its checks. */
export interface HealthIdentityRules {
  readonly settings: CheckSettings;
  /** The target of a node. */
  readonly targetOf: (node: UpstreamNode) => HealthTarget;
}

/**
 * One version of an upstream as its shared checker's user: which of its nodes are down, and what requests say of
 * them.
 */
export class UpstreamHealth implements AttemptObserver {
  readonly #usage: Usage<HealthChecker>;
  readonly #rules: HealthIdentityRules;
  #plan: HealthPlan;
  #keys: ReadonlyMap<UpstreamNode, string>;
  #seenVersion = -1;
  #isRetired = false;
  #down: ReadonlySet<UpstreamNode> | undefined;

  constructor(usage: Usage<HealthChecker>, rules: HealthIdentityRules, nodes: readonly UpstreamNode[]) {
    this.#usage = usage;
    this.#rules = rules;
    this.#keys = keysOf(nodes, rules);
    this.#plan = planOf(nodes, rules);
    usage.value.add(this.#plan);
  }

  /** Takes other nodes in place of the present ones. */
  replaceNodes(nodes: readonly UpstreamNode[]): void {
    if (this.#isRetired) return;
    const previous = this.#plan;
    this.#keys = keysOf(nodes, this.#rules);
    this.#plan = planOf(nodes, this.#rules);
    this.#usage.value.add(this.#plan);
    this.#usage.value.remove(previous);
    this.#seenVersion = -1;
  }

  /** The nodes a request should not use; nothing when all are well, or when none is: then all are used (APISIX). */
  down(): NodeFilter | undefined {
    const checker = this.#usage.value;
    checker.use();
    if (checker.version !== this.#seenVersion) this.#look(checker);
    return this.#down;
  }

  onStart(): void {}

  /** Counts a failure that a retry follows, and a final status where passive checks are on. */
  onEnd(node: UpstreamNode, { outcome, isFinal }: AttemptEnd): void {
    const key = this.#keys.get(node);
    if (key === undefined || outcome.kind === "cancelled") return;
    const checker = this.#usage.value;
    const { isPassiveOn, passive } = this.#rules.settings;
    if (outcome.kind === "failed" && !isFinal) {
      checker.reportFailure(key, statusOf(outcome) === 504 ? "timeout" : "tcp", passive);
      return;
    }
    if (!isPassiveOn) return;
    const status = statusOf(outcome);
    if (passive.healthyStatuses.has(status)) checker.reportSuccess(key, passive);
    if (passive.unhealthyStatuses.has(status)) checker.reportFailure(key, "http", passive);
  }

  /** Leaves it to other versions which nodes there are and how they are probed; without one nothing is probed. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#usage.value.remove(this.#plan);
  }

  release(): void {
    this.retire();
    this.#usage.release();
  }

  #look(checker: HealthChecker): void {
    this.#seenVersion = checker.version;
    const down = new Set<UpstreamNode>();
    for (const [node, key] of this.#keys) {
      if (checker.healthOf(key)?.isUp === false) down.add(node);
    }
    this.#down = down.size === 0 || down.size === this.#keys.size ? undefined : down;
  }
}

function keysOf(nodes: readonly UpstreamNode[], { targetOf }: HealthIdentityRules): Map<UpstreamNode, string> {
  return new Map(nodes.map((node) => [node, targetKey(targetOf(node))]));
}

function planOf(nodes: readonly UpstreamNode[], { settings, targetOf }: HealthIdentityRules): HealthPlan {
  const targets = nodes.map(targetOf);
  return { settings, targets: new Map(targets.map((target) => [targetKey(target), target])) };
}

import type { Target, TargetKeepalive, Usage } from "@fngate/kernel";
import type { HealthChecker } from "../health/health-checker.ts";
import type { AttemptObserver } from "./attempt-observer.ts";
import type { NodeFilter, VariableReader } from "./balancers/balancer.ts";
import type { AcquireName } from "./named-nodes.ts";
import type { UpstreamLoads } from "./node-load.ts";
import type { UpstreamNode } from "./upstream-node.ts";
import type { UpstreamScheme } from "./upstream-settings.ts";

/** An upstream ready to be called; shared by every request until it is disposed. */
export interface CompiledUpstream {
  readonly scheme: UpstreamScheme;
  /** Empty when the configuration names none, or names that cannot be resolved: requests then get 503. */
  readonly nodes: readonly UpstreamNode[];
  /** Attempts after the first. */
  readonly retries: number;
  /** No further attempt starts later than this after the first; 0: no limit. */
  readonly retryTimeoutMs: number;
  readonly timeouts: Target["timeouts"];
  /** Whether {@link CompiledUpstream.pick} goes by variables of the request. */
  readonly isKeyed: boolean;
  /** To be told of every attempt; absent when nobody needs to know. */
  readonly observer: AttemptObserver | undefined;
  /** Why there is no node to try when there is none. */
  readonly noNodeReason: "no-nodes" | "unresolved";
  /**
   * To be called, and waited for, before the first {@link CompiledUpstream.pick} of a request: sees to it that names
   * are resolved. Never rejects; nothing when there is nothing to wait for.
   */
  prepare(): Promise<unknown> | undefined;
  /**
   * The node of the next attempt; nothing when there is none or all were tried.
   *
   * @param variable variables of the request; needed where {@link CompiledUpstream.isKeyed}
   */
  pick(tried: NodeFilter | undefined, variable?: VariableReader): UpstreamNode | undefined;
  /** Takes no part in health checks any more; requests that have begun are served as before. */
  retire(): void;
  /** Releases the endpoints; requests in flight end undisturbed. */
  dispose(): void;
}

/** What an upstream may be compiled with beside its connections. */
export interface CompileOptions {
  /** Numbers in [0, 1) for the balancers; default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds of a clock that never steps back; default the process's. */
  readonly monotonicMs?: () => number;
  /** What holds for an upstream without `keepalive_pool`; default: 320 connections, 60 seconds, 1000 requests. */
  readonly keepalive?: TargetKeepalive;
  /** Takes a share in the loads that all versions of the upstream have in common; default: loads of its own. */
  readonly acquireLoads?: () => Usage<UpstreamLoads>;
  /** Takes a share in the upstream's health checker; absent: `checks` are not acted on. */
  readonly acquireChecker?: () => Usage<HealthChecker>;
  /** Takes a share in a name's answer; absent: names are left to the connections, and there is no discovery. */
  readonly acquireName?: AcquireName;
  /** Whether services may be found by DNS; default false. */
  readonly isDiscoveryOn?: boolean;
}

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { MetricsText, ServerPort } from "@fngate/plugin-kit";
import type { ConnectionCounts } from "../metrics/gateway-metrics.ts";
import type { DataPlaneOptions } from "../options.ts";

/** What is counted while the data plane runs. */
export interface ServerCounts {
  connections(): Promise<ConnectionCounts>;
  requests(): number;
  /** Of this data plane alone. */
  metrics(): Promise<MetricsText>;
  logReopenings(): number;
}

/** Longest wait for the store's version, milliseconds. */
const STORE_DEADLINE_MS = 2_000;

/** The version in a `Server` field such as `APISIX/3.18.0`; empty when there is none. */
export function versionOf(serverHeader: string): string {
  return serverHeader.split("/")[1] ?? "";
}

/** What plugins may know about the data plane. */
export function createServerPort(options: DataPlaneOptions, counts: ServerCounts): ServerPort {
  const { clock, identity, serverHeader, store } = options;
  return {
    id: identity?.id ?? randomUUID(),
    hostname: hostname(),
    version: identity?.version ?? versionOf(serverHeader),
    startedAtMs: clock.now(),
    get logReopenings() {
      return counts.logReopenings();
    },
    async storeVersion() {
      try {
        return await store.serverVersion?.({ signal: AbortSignal.timeout(STORE_DEADLINE_MS) });
      } catch {
        // Whether the store answers is reported elsewhere.
        return undefined;
      }
    },
    async traffic() {
      const { accepted, active, open } = await counts.connections();
      return {
        openConnections: open,
        busyConnections: active,
        acceptedConnections: accepted,
        requests: counts.requests(),
      };
    },
    metrics: options.gatherMetrics ?? (() => counts.metrics()),
  };
}

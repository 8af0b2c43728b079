import { expect, test } from "vitest";
import { type FailureKind, NodeHealth } from "./node-health.ts";

const LIMITS = { success: 2, http: 3, tcp: 2, timeout: 2 };

type Report = "success" | FailureKind;

function after(...reports: readonly Report[]): NodeHealth {
  const health = new NodeHealth();
  for (const report of reports) {
    if (report === "success") health.reportSuccess(LIMITS.success);
    else health.reportFailure(report, LIMITS[report]);
  }
  return health;
}

// Rows of the state machine (compat: upstream, state machine).
test.each<{ reports: Report[]; state: string; counters?: Record<string, number> }>([
  { reports: [], state: "healthy" },
  { reports: ["success"], state: "healthy", counters: { success: 0 } },
  { reports: ["http"], state: "mostly_healthy", counters: { http_failure: 1 } },
  { reports: ["http", "http", "http"], state: "unhealthy", counters: { http_failure: 3 } },
  { reports: ["tcp", "tcp"], state: "unhealthy", counters: { tcp_failure: 2 } },
  { reports: ["timeout", "timeout"], state: "unhealthy", counters: { timeout_failure: 2 } },
  {
    reports: ["http", "tcp", "timeout", "http"],
    state: "mostly_healthy",
    counters: { http_failure: 2, tcp_failure: 1, timeout_failure: 1 },
  },
  {
    reports: ["http", "http", "tcp", "success"],
    state: "mostly_healthy",
    counters: { success: 1, http_failure: 0, tcp_failure: 0 },
  },
  { reports: ["http", "success", "success"], state: "healthy", counters: { success: 2, http_failure: 0 } },
  { reports: ["tcp", "tcp", "tcp"], state: "unhealthy", counters: { tcp_failure: 2 } },
  { reports: ["tcp", "tcp", "success"], state: "mostly_unhealthy", counters: { success: 1, tcp_failure: 0 } },
  { reports: ["tcp", "tcp", "success", "success"], state: "healthy", counters: { success: 2 } },
  { reports: ["tcp", "tcp", "success", "tcp"], state: "mostly_unhealthy", counters: { success: 0, tcp_failure: 1 } },
  { reports: ["tcp", "tcp", "success", "tcp", "tcp"], state: "unhealthy", counters: { tcp_failure: 2 } },
])("after $reports a node is $state", ({ reports, state, counters = {} }) => {
  const health = after(...reports);
  expect(health.state).toBe(state);
  expect(health.isUp).toBe(state === "healthy" || state === "mostly_healthy");
  expect(health.counters).toMatchObject(counters);
});

test("a limit of 0 switches a counter off", () => {
  const health = new NodeHealth();
  for (let count = 0; count < 300; count += 1) health.reportFailure("http", 0);
  expect(health.state).toBe("healthy");
  health.reportFailure("tcp", 1);
  health.reportSuccess(0);
  expect(health.state).toBe("unhealthy");
});

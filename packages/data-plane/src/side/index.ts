export { keepCounts, mergeMetrics, type ProcessMetrics } from "../metrics/merge-metrics.ts";
export { createProcessMetrics } from "../metrics/process-metrics.ts";
export { SideDesk, type SideDeskOptions, type SideSource } from "./side-desk.ts";
export type { SideAnswer, SideRequest } from "./side-listener.ts";

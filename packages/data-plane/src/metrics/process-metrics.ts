import { collectDefaultMetrics, Registry } from "prom-client";

/** Metrics of this process alone (CPU, memory, event loop), for one that serves no requests; rendered when asked. */
export function createProcessMetrics(): { readonly contentType: string; render(): Promise<string> } {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return { contentType: register.contentType, render: () => register.metrics() };
}

import type { SideAnswer, SideRoutes } from "./http/side-listener.ts";

/** The status API: alive always, ready from the first configuration until shutdown (APISIX: status API). */
export function createStatusRoutes(isReady: () => boolean): SideRoutes {
  return new Map([
    ["/status", (): SideAnswer => json(200, { status: "ok" })],
    ["/status/ready", (): SideAnswer => (isReady() ? json(200, { status: "ok" }) : json(503, NOT_READY))],
  ]);
}

/** APISIX's own words; one process is its worker 0. */
const NOT_READY = { status: "error", error: "worker id: 0 has not received configuration" };

function json(status: number, body: object): SideAnswer {
  return { status, contentType: "application/json", body: JSON.stringify(body) };
}

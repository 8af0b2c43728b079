import type { HttpAnswer } from "@fngate/kernel";
import type { LogEntry } from "./log-format.ts";

/** Most of a refusing answer that is reported, bytes. */
const MAX_REPORTED_BYTES = 256;

/** An entry as JSON, in which one about a request that matched no route says so. The entry is changed for that. */
export function jsonWithRoute(entry: LogEntry): string {
  entry["route_id"] ??= "no-matched";
  return JSON.stringify(entry);
}

/** Why a batch failed that a service answered with an error, with the beginning of what it said. */
export function refusalBy(service: string, { body, status }: HttpAnswer): Error {
  const reported = Buffer.from(body.subarray(0, MAX_REPORTED_BYTES)).toString();
  return new Error(`${service} answered ${status}: ${reported}`);
}

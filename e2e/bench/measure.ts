import { runLoad } from "./load.ts";
import { type Contestant, cpuSeconds } from "./processes.ts";

/** What one round of one contestant cost. */
export interface Sample {
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
}

/** One round's load. */
export interface RoundLoad {
  readonly connections: number;
  readonly requests: number;
}

/** Sends a round of requests and tells what they cost the contestant's process. Throws when one fails. */
export async function measure(contestant: Contestant, { connections, requests }: RoundLoad): Promise<Sample> {
  const pid = contestant.process.pid ?? 0;
  const { body, headers = {}, path, port } = contestant;
  const before = cpuSeconds(pid);
  const result = await runLoad({ port, path, headers, body, connections, requests });
  if (result.failed > 0) throw new Error(`${contestant.name}: ${result.failed} requests failed`);
  const cpu = cpuSeconds(pid) - before;
  return { cpuMicroseconds: (cpu / requests) * 1e6, requestsPerSecond: requests / result.seconds };
}

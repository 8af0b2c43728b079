/** The process behind `startWriter`: writes what it is told to and reports how long that took. */

import { openAdminWriter, openRawWriter, routeOf } from "./admin-writers.ts";
import type { WriteOrder, WriteReport } from "./writer-process.ts";

/** Ids that are written over and over, as clients do that keep a configuration up to date. */
const WRITTEN_IDS = 1_000;

const [kind, target = ""] = process.argv.slice(2);
const writer = kind === "raw" ? openRawWriter(target) : openAdminWriter(Number(target));

async function carryOut({ writes, concurrency }: WriteOrder): Promise<WriteReport> {
  const startedMs = performance.now();
  let begun = 0;
  const work = async () => {
    while (begun < writes) {
      const index = begun % WRITTEN_IDS;
      begun += 1;
      await writer.write(String(index), routeOf(index));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { tookMs: performance.now() - startedMs };
}

process.on("message", (order: WriteOrder) => {
  // A write that fails ends this process, and with it the measurement.
  void carryOut(order).then((report) => process.send?.(report));
});
process.once("disconnect", () => void writer[Symbol.asyncDispose]());

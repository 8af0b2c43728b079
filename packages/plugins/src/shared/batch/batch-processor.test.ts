import { recordingLogger } from "@fngate/plugin-kit/testing";
import { FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { Backlog, type DropReason } from "./backlog.ts";
import { BatchProcessor, type BatchSettings, textBytes } from "./batch-processor.ts";

const SETTINGS: BatchSettings = { maxEntries: 3, inactiveMs: 5_000, maxAgeMs: 12_000, retries: 0, retryDelayMs: 1_000 };

const NOTHING = { entries: 0, bytes: 0 };

interface Setup {
  readonly settings?: Partial<BatchSettings>;
  readonly limit?: number;
  readonly limitBytes?: number;
  readonly maxEntryBytes?: number;
  /** What deliveries do, in order; further ones succeed. */
  readonly outcomes?: readonly Promise<void>[];
}

/** A processor of texts, and what became of them. */
function processor({ settings = {}, limit = 100, limitBytes = 1_000, maxEntryBytes, outcomes = [] }: Setup = {}) {
  const clock = new FakeClock();
  const logger = recordingLogger();
  const delivered: (readonly string[])[] = [];
  const gathered: number[] = [];
  const dropped: Record<DropReason, number> = { backlog: 0, failed: 0, oversize: 0 };
  const drops = {
    inc: ({ reason }: { reason: string }, by = 1) => {
      dropped[reason as DropReason] += by;
    },
  };
  const bounds = () => ({ entries: limit, bytes: limitBytes });
  const backlog = new Backlog({ plugin: "p", clock, logger, drops, bounds });
  const batches = new BatchProcessor<string>({
    ...{ name: "b", settings: { ...SETTINGS, ...settings }, clock, logger, backlog },
    ...{ sizeOf: textBytes, maxEntryBytes },
    deliver: async (entries) => {
      delivered.push(entries);
      await outcomes[delivered.length - 1];
    },
    onGathered: (entries) => gathered.push(entries),
  });
  return { backlog, batches, clock, delivered, dropped, gathered, logger };
}

function failed(): Promise<void> {
  const failure = Promise.reject(new Error("refused"));
  failure.catch(() => undefined);
  return failure;
}

describe("BatchProcessor", () => {
  it("delivers as many entries at once as it may", async () => {
    const { batches, backlog, delivered, gathered } = processor();
    for (const entry of ["a", "b", "c", "d"]) batches.push(() => entry);
    expect(delivered).toEqual([["a", "b", "c"]]);
    expect(gathered).toEqual([1, 2, 0, 1]);
    await batches.flush();
    expect(delivered).toEqual([["a", "b", "c"], ["d"]]);
    expect(backlog.waiting).toEqual(NOTHING);
  });

  it("delivers what it has when no entry came for a time", async () => {
    const { batches, clock, delivered } = processor();
    batches.push(() => "a");
    await clock.advance(4_000);
    batches.push(() => "b");
    await clock.advance(4_999);
    expect(delivered).toEqual([]);
    await clock.advance(1);
    expect(delivered).toEqual([["a", "b"]]);
    batches.push(() => "c");
    await clock.advance(5_000);
    expect(delivered).toEqual([["a", "b"], ["c"]]);
  });

  it("delivers what it has when the oldest entry is old, although entries keep coming", async () => {
    const { batches, clock, delivered } = processor({ settings: { maxEntries: 100 } });
    for (let seconds = 0; seconds < 12; seconds += 1) {
      batches.push(() => String(seconds));
      await clock.advance(1_000);
    }
    expect(delivered.map((batch) => batch.length)).toEqual([12]);
  });

  it("tries again after a pause, the same entries", async () => {
    const { batches, backlog, clock, delivered, dropped } = processor({
      settings: { maxEntries: 1, retries: 2 },
      outcomes: [failed(), failed()],
    });
    batches.push(() => "a");
    await clock.advance(0);
    await clock.advance(999);
    expect(delivered).toEqual([["a"]]);
    expect(backlog.waiting).toEqual({ entries: 1, bytes: 1 });
    await clock.advance(1);
    await clock.advance(1_000);
    expect(delivered).toEqual([["a"], ["a"], ["a"]]);
    expect(backlog.waiting).toEqual(NOTHING);
    expect(dropped).toEqual({ backlog: 0, failed: 0, oversize: 0 });
  });

  it("gives entries up after the last try, counts them and says why", async () => {
    const { batches, backlog, clock, dropped, logger } = processor({
      settings: { maxEntries: 2, retries: 1 },
      outcomes: [failed(), failed()],
    });
    batches.push(() => "a");
    batches.push(() => "b");
    await clock.advance(0);
    await clock.advance(1_000);
    expect(dropped).toEqual({ backlog: 0, failed: 2, oversize: 0 });
    expect(backlog.waiting).toEqual(NOTHING);
    expect(logger.lines.at(-1)?.fields).toMatchObject({ reason: "failed", entries: 2, tries: 2, cause: "refused" });
  });

  it("drops and counts entries when too many wait, and says so once in a while", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { batches, clock, dropped, logger } = processor({
      settings: { maxEntries: 1 },
      limit: 2,
      outcomes: [promise, promise],
    });
    for (const entry of ["a", "b", "c", "d"]) batches.push(() => entry);
    expect(dropped.backlog).toBe(2);
    await clock.advance(1_000);
    batches.push(() => "e");
    expect(logger.lines.map(({ fields }) => fields["entries"])).toEqual([1, 2]);
    resolve();
    await batches.flush();
    batches.push(() => "f");
    await batches.flush();
    expect(dropped.backlog).toBe(3);
  });

  it("drops and counts entries when those that wait are too large together, until some are delivered", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { backlog, batches, dropped } = processor({
      settings: { maxEntries: 1 },
      limitBytes: 6,
      outcomes: [promise, promise],
    });
    for (const entry of ["äää", "b", "c"]) batches.push(() => entry);
    expect(dropped.backlog).toBe(2);
    expect(backlog.waiting).toEqual({ entries: 1, bytes: 6 });
    resolve();
    await batches.flush();
    expect(backlog.waiting).toEqual(NOTHING);
    batches.push(() => "d");
    await batches.flush();
    expect(dropped.backlog).toBe(2);
  });

  it("holds the size of entries against the bound while they wait for their next try, and no longer", async () => {
    const { backlog, batches, clock } = processor({
      settings: { maxEntries: 2, retries: 1 },
      outcomes: [failed(), failed()],
    });
    for (const entry of ["aa", "bbb"]) batches.push(() => entry);
    await clock.advance(0);
    expect(backlog.waiting).toEqual({ entries: 2, bytes: 5 });
    await clock.advance(1_000);
    expect(backlog.waiting).toEqual(NOTHING);
  });

  it("drops and counts an entry that is larger than any may be, and delivers its neighbours", async () => {
    const { backlog, batches, delivered, dropped, logger } = processor({ maxEntryBytes: 3 });
    for (const entry of ["a", "ää", "abc"]) batches.push(() => entry);
    await batches.flush();
    expect(delivered).toEqual([["a", "abc"]]);
    expect(dropped).toEqual({ backlog: 0, failed: 0, oversize: 1 });
    expect(backlog.waiting).toEqual(NOTHING);
    expect(logger.lines.at(-1)?.fields).toMatchObject({ reason: "oversize", sizeBytes: 4, maxEntryBytes: 3 });
  });

  it("delivers a bounded number of batches at once", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { batches, delivered } = processor({
      settings: { maxEntries: 1 },
      outcomes: Array.from({ length: 8 }, () => promise),
    });
    for (let entry = 0; entry < 20; entry += 1) batches.push(() => String(entry));
    expect(delivered).toHaveLength(8);
    resolve();
    await batches.flush();
    expect(delivered.flat()).toEqual(Array.from({ length: 20 }, (_, entry) => String(entry)));
  });

  it("does not make an entry that it drops, and forgets one that cannot be made", () => {
    const { backlog, batches } = processor({ limit: 1 });
    const fail = () => {
      throw new Error("cannot be made");
    };
    expect(() => batches.push(fail)).toThrow("cannot be made");
    expect(backlog.waiting).toEqual(NOTHING);
    batches.push(() => "a");
    expect(() => batches.push(fail)).not.toThrow();
  });

  it("is flushed when the last retry is over", async () => {
    const { batches, clock, delivered } = processor({ settings: { retries: 1 }, outcomes: [failed()] });
    batches.push(() => "a");
    let isOver = false;
    const flushed = batches.flush()?.then(() => {
      isOver = true;
    });
    await clock.advance(0);
    await clock.advance(999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await flushed;
    expect(delivered).toEqual([["a"], ["a"]]);
  });
});

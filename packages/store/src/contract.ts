import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  describeComparing,
  describeExpiring,
  describeReading,
  describeSeveralClients,
  describeWriting,
} from "./contract/data.ts";
import type { ContractSubject, Scene } from "./contract/scene.ts";
import { describeEnding, describeLosing, describeProgress, describeWatching } from "./contract/watches.ts";

export type { ContractSubject } from "./contract/scene.ts";

/** What a back end can do beyond the port's letter. */
export interface ContractCapabilities {
  /** Tells a quiet watch within seconds that the store moved on elsewhere. */
  readonly progressMarks: boolean;
  /** Can be opened more than once on the same data. */
  readonly severalClients: boolean;
}

/** One back end for {@link describeConfigStore}. */
export interface ContractOptions {
  readonly name: string;
  /** Opens a store; it may hold data of earlier calls, since every test keeps to keys of its own. */
  open(): Promise<ContractSubject>;
  readonly capabilities: ContractCapabilities;
  /** Tests that do not apply, by title, each with the reason; they are not run at all, so a run knows no skipped test. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** Most milliseconds one test may take: the one with many keys waits for as many durable writes. */
const TEST_TIMEOUT_MS = 60_000;

/** Runs the one suite every ConfigStore passes. */
export function describeConfigStore({ name, open, capabilities, skip = {} }: ContractOptions): void {
  const unknownSkips = new Set(Object.keys(skip));

  const check = (title: string, body: (scene: Scene) => Promise<void>): void => {
    unknownSkips.delete(title);
    if (skip[title] !== undefined) return;
    const run = async () => {
      await using subject = await open();
      await body({ subject, store: subject.store, root: `/contract/${randomUUID()}/` });
    };
    it(title, run, TEST_TIMEOUT_MS);
  };

  describe(`${name} as a ConfigStore`, () => {
    describeReading(check);
    describeWriting(check);
    describeComparing(check);
    describeWatching(check);
    describeLosing(check);
    describeEnding(check);
    describeExpiring(check);
    if (capabilities.progressMarks) describeProgress(check);
    if (capabilities.severalClients) describeSeveralClients(check);

    it("gives a reason for every test left out, and leaves out only tests there are", () => {
      expect([...unknownSkips]).toEqual([]);
      for (const reason of Object.values(skip)) expect(reason).not.toBe("");
    });
  });
}

import { expect } from "vitest";
import type { ConfigStore } from "../config-store.ts";

/** A store under test with its fault verbs; disposing closes it and whatever it stands on. */
export interface ContractSubject extends AsyncDisposable {
  readonly store: ConfigStore;
  /** Makes the back end forget its history up to now. */
  compact(): Promise<void>;
  /** Makes at least `ms` milliseconds pass for expiring entries, or does nothing where they pass by themselves. */
  passTime(ms: number): Promise<void>;
  /** Opens a second store on the same data; there when {@link ContractCapabilities.severalClients} is declared. */
  openAnother?(): Promise<ConfigStore>;
}

/** What one test works with. */
export interface Scene {
  readonly subject: ContractSubject;
  readonly store: ConfigStore;
  /** Prefix of this test's keys, ending with a slash. */
  readonly root: string;
}

/** Adds one test of the suite. */
export type Check = (title: string, body: (scene: Scene) => Promise<void>) => void;

/** Expects a call to reject with a code of the store port. */
export async function expectCode(call: Promise<unknown>, code: string): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: "GatewayError", code });
}

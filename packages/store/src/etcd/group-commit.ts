import { GatewayError, isGatewayError } from "@fngate/kernel";
import type { IResponseOp, ITxnRequest, ITxnResponse } from "etcd3";
import type { Revision } from "../revision.ts";
import { revisionOf } from "./entry.ts";
import { isEndpointFailure } from "./failure.ts";

/** etcd takes 128 operations per transaction by default, and counts what is nested. */
const MOST_WRITES = 64;

/** A third of the request that etcd takes by default, so that a group of large values is no reason for a refusal. */
const MOST_BYTES = 512 * 1024;

/** A write of one key as the transaction that makes it. */
export interface KeyWrite {
  readonly key: string;
  readonly request: ITxnRequest;
  /** Length of what is written, about. */
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
}

/** What became of one write. */
export interface KeyWriteAnswer {
  /** Whether its comparison held. */
  readonly succeeded: boolean;
  readonly responses: readonly IResponseOp[];
  /** Of the transaction that it was part of. */
  readonly revision: Revision;
}

/** Sends one transaction, `key` being one of its keys; rejects with the gateway's errors. */
export type Commit = (request: ITxnRequest, key: string) => Promise<ITxnResponse>;

interface Waiting {
  readonly write: KeyWrite;
  readonly resolve: (answer: KeyWriteAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends writes to etcd one transaction after the other. What comes while one is under way goes into the next, each
 * write as a transaction of its own nested in it, which holds or fails by itself: many writers at once cost etcd one
 * round of its log instead of one each, and a single one waits for nobody. Writes of one key keep their order.
 */
export class GroupCommit {
  readonly #commit: Commit;
  #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  /** Rejects as the transaction does, and with `STORE_ABORTED` when the signal fires; the write may happen all the same. */
  async submit(write: KeyWrite): Promise<KeyWriteAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<KeyWriteAnswer>();
    const onAbort = () => reject(aborted(write));
    if (write.signal?.aborted) throw aborted(write);
    write.signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push({ write, resolve, reject });
    if (!this.#isBusy) void this.#work();
    try {
      return await promise;
    } finally {
      write.signal?.removeEventListener("abort", onAbort);
    }
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#send(group);
      } catch (error) {
        // What waited meanwhile would wait as long for the same answer.
        for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(error);
      }
    }
    this.#isBusy = false;
  }

  /** The writes that go next: no key twice, since etcd refuses that; what is left out keeps its order. */
  #takeGroup(): Waiting[] {
    const group: Waiting[] = [];
    const left: Waiting[] = [];
    const keys = new Set<string>();
    let bytes = 0;
    for (const entry of this.#waiting) {
      const { key, signal } = entry.write;
      if (signal?.aborted) continue;
      const fits = group.length < MOST_WRITES && (group.length === 0 || bytes + entry.write.bytes <= MOST_BYTES);
      if (fits && !keys.has(key)) {
        group.push(entry);
        bytes += entry.write.bytes;
      } else {
        left.push(entry);
      }
      keys.add(key);
    }
    this.#waiting = left;
    return group;
  }

  /** Settles every write of a group; throws when etcd does not answer. */
  async #send(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    if (group.length === 1) return this.#sendAlone(first);
    const request = { compare: [], success: group.map(({ write }) => ({ request_txn: write.request })), failure: [] };
    let answer: ITxnResponse;
    try {
      answer = await this.#commit(request, first.write.key);
    } catch (error) {
      if (isNoAnswer(error)) throw error;
      // Refused as a whole, so nothing of it happened; which of them is to blame shows one by one.
      for (const entry of group) await this.#sendAlone(entry);
      return;
    }
    const revision = revisionOf(answer.header);
    for (const [index, { resolve, reject }] of group.entries()) {
      const own = answer.responses[index]?.response_txn;
      if (own) resolve({ succeeded: own.succeeded, responses: own.responses, revision });
      else reject(new GatewayError("STORE_UNAVAILABLE", "etcd answered a write without saying what became of it"));
    }
  }

  async #sendAlone({ write, resolve, reject }: Waiting): Promise<void> {
    try {
      const { header, responses, succeeded } = await this.#commit(write.request, write.key);
      resolve({ succeeded, responses, revision: revisionOf(header) });
    } catch (error) {
      reject(error);
      if (isNoAnswer(error)) throw error;
    }
  }
}

function isNoAnswer(error: unknown): boolean {
  return !isGatewayError(error) || error.code === "STORE_CLOSED" || isEndpointFailure(error.cause);
}

function aborted({ signal }: KeyWrite): GatewayError {
  return new GatewayError("STORE_ABORTED", "the call was aborted", { cause: signal?.reason });
}

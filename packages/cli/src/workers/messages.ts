import type { SideAnswer, SideRequest } from "@fngate/data-plane/side";
import type { Settings } from "../config/settings.ts";
import type { BoundListener } from "../listening.ts";

/** What a worker is asked about itself. */
export type Question = { readonly about: "metrics" } | { readonly about: "control"; readonly request: SideRequest };

/** From the primary to a worker. */
export type ToWorker =
  | { readonly type: "start"; readonly index: number; readonly settings: Settings }
  | { readonly type: "ask"; readonly id: number; readonly question: Question }
  /** To "gather": the metrics of all workers; absent when they cannot be had. */
  | { readonly type: "gathered"; readonly id: number; readonly answer: SideAnswer | undefined }
  | { readonly type: "reopen-logs" }
  | { readonly type: "stop"; readonly deadlineMs: number };

/** Why a worker did not start; with what the system said where a port was taken. */
export interface StartFailure {
  readonly message: string;
  readonly listen: { readonly code: string; readonly address: string; readonly port: number } | undefined;
}

/** From a worker to the primary. */
export type FromWorker =
  | { readonly type: "hello" }
  /** The last message. */
  | { readonly type: "bye" }
  | { readonly type: "listening"; readonly bound: BoundListener }
  | { readonly type: "started" }
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly failure: StartFailure }
  | { readonly type: "answer"; readonly id: number; readonly answer: SideAnswer | undefined }
  | { readonly type: "unanswered"; readonly id: number; readonly reason: string }
  /** Asks for the metrics of all workers. */
  | { readonly type: "gather"; readonly id: number };

/** How a worker's process ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A worker's process, as the primary holds it. */
export interface WorkerProcess {
  readonly pid: number;
  /** Messages to a process that is gone are dropped. */
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  onEnd(listener: (end: WorkerEnd) => void): void;
  /** Ends it at once. */
  kill(): void;
}

/** Starts the process of a worker; its listening sockets are those of its siblings. */
export type WorkerForker = () => WorkerProcess;

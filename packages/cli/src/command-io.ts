import type { Environment } from "./config/environment.ts";
import type { ExitCode } from "./exit-codes.ts";

/** Somewhere to write text. */
export interface TextSink {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Source of operating system signals; `process` is one. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** Everything of the process that the command touches, so that tests can stand in for it. */
export interface CommandIo {
  /** Arguments behind the program's name. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly signals: SignalSource;
  /** Asks whoever sits at the terminal; absent when nobody does. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** Ends the process at once; only a second signal asks for it. */
  readonly exitNow: (code: ExitCode) => void;
}

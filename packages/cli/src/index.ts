export type { CommandIo, SignalSource, TextSink } from "./command-io.ts";
export { EXIT_CODES, type ExitCode } from "./exit-codes.ts";
export { run } from "./run.ts";

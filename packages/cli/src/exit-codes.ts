/** Exit codes of the command; a supervisor may restart after 2 and 3, but not blindly after 1. */
export const EXIT_CODES = {
  /** Everything done, or stopped cleanly. */
  ok: 0,
  /** Wrong usage, wrong configuration or a failed start. */
  failed: 1,
  /** A second signal ended the process without a drain. */
  forced: 2,
  /** Stopped, but requests were cut off when the drain deadline passed. */
  drainDeadlinePassed: 3,
  /** `config diff` found differences. */
  different: 4,
  /** `config import` failed halfway and could not put everything back. */
  importIncomplete: 5,
} as const;

/** One of {@link EXIT_CODES}. */
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

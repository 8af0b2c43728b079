/** The environment variables of the process, as plain data. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Copies the process's environment: the only place that reads it, everything else is handed the copy. */
export function readEnvironment(): Environment {
  // biome-ignore lint/style/noProcessEnv: the one reader
  return Object.freeze({ ...process.env });
}

import { execFileSync, spawnSync } from "node:child_process";

/** One line on the terminal. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Ends the script with a message for its user. */
export function fail(message: string): never {
  throw new Error(message);
}

/** Runs a command and shows what it prints; throws when it fails. */
export function run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): void {
  const [file = "", ...args] = command;
  // biome-ignore lint/style/noProcessEnv: commands inherit the caller's environment
  execFileSync(file, args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...environment } });
}

/** What a command prints on standard output, trimmed; throws when it fails. */
export function output(command: readonly string[]): string {
  const [file = "", ...args] = command;
  return execFileSync(file, args, { stdio: ["ignore", "pipe", "pipe"] })
    .toString()
    .trim();
}

/** Tells whether a command ends with status 0 within `timeoutMs`. */
export function succeeds(command: readonly string[], timeoutMs = 30_000): boolean {
  const [file = "", ...args] = command;
  return spawnSync(file, args, { stdio: "ignore", timeout: timeoutMs }).status === 0;
}

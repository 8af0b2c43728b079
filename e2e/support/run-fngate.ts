import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const MAIN = join(import.meta.dirname, "../../packages/cli/bin/fngate.js");

/** How a command that ends by itself ended. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `fngate ARGV` in a directory to its end, with nobody at its terminal. */
export async function runFngate(
  argv: readonly string[],
  options: { readonly cwd: string; readonly environment?: Readonly<Record<string, string>> },
): Promise<CommandOutcome> {
  const child = spawn(process.execPath, ["--conditions=@fngate/source", MAIN, ...argv], {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    // biome-ignore lint/style/noProcessEnv: the process under test inherits the environment of the tests
    env: { ...process.env, ...options.environment },
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

import { execFile } from "node:child_process";

/** How long a process may take before it counts as hanging, in milliseconds. */
const PATIENCE_MS = 15_000;

/**
 * For tests: runs code as a process of its own and answers what it printed once it has ended, by itself or by a
 * signal it gave itself. Throws with its error output when it failed, and when it hangs.
 */
export function runProcess(code: string): Promise<string> {
  const flags = ["--conditions=@fngate/source", "--input-type=module", "--eval", code];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(process.execPath, flags, { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
    if (child.killed) reject(new Error(`the process hung; it printed "${stdout}"`));
    else if (error !== null && child.signalCode === null) reject(new Error(stderr, { cause: error }));
    else resolve(stdout);
  });
  return promise;
}

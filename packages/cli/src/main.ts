import cluster from "node:cluster";
import { readEnvironment } from "./config/environment.ts";
import { confirm } from "./confirm.ts";
import { EXIT_CODES, type ExitCode } from "./exit-codes.ts";
import { run } from "./run.ts";

const exitNow = (code: ExitCode) => process.exit(code);

if (cluster.isWorker) {
  // Forked by a primary, which says what is to be done.
  const { serveAsWorker } = await import("./workers/worker-process.ts");
  serveAsWorker(readEnvironment(), exitNow);
} else {
  const code = await run({
    argv: process.argv.slice(2),
    environment: readEnvironment(),
    workingDirectory: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    signals: process,
    ...(process.stdin.isTTY && { confirm }),
    exitNow,
  });
  // After a clean stop nothing is left to do, and the process ends by itself; after any other something may hang.
  if (code !== EXIT_CODES.ok) exitNow(code);
}

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Root of the repository. */
export const ROOT = join(import.meta.dirname, "../..");

/** What one step of a test run came to. */
export interface StepResult {
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A step that either succeeds or does not. */
export interface Step {
  readonly title: string;
  /** Throws, or returns a sentence, when something is wrong. */
  readonly check: () => string | undefined;
}

/** Writes one line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs a step, prints how it went and counts it as one test. */
export function runStep({ title, check }: Step): StepResult {
  print(`\n== ${title}`);
  const problem = problemOf(check);
  print(problem === undefined ? `ok      ${title}` : `FAILED  ${title}: ${problem}`);
  return { title, passed: problem === undefined ? 1 : 0, failed: problem === undefined ? 0 : 1, skipped: 0 };
}

function problemOf(check: Step["check"]): string | undefined {
  try {
    return check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** How a tool is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Keep the output instead of showing it. */
  readonly isQuiet?: boolean;
}

/** Runs a program at the root with the tools of the workspace on PATH; never throws for its exit code. */
export function runTool(file: string, args: readonly string[], options: RunOptions = {}): SpawnSyncReturns<string> {
  // biome-ignore lint/style/noProcessEnv: what is run needs the environment it would have on the command line
  const { PATH = "", ...inherited } = process.env;
  return spawnSync(file, args, {
    cwd: options.cwd ?? ROOT,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: options.isQuiet === true ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    env: { ...inherited, PATH: `${join(ROOT, "node_modules/.bin")}:${PATH}`, ...options.environment },
  });
}

/** A check that is one command: its exit code decides. */
export function command(file: string, ...args: readonly string[]): Step["check"] {
  return () => {
    const { status, error } = runTool(file, args);
    return status === 0 ? undefined : `${file} ${args.join(" ")} ended with ${error?.message ?? status}`;
  };
}

/** What we read of vitest's JSON report. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/** Runs a vitest configuration with progress lines and counts its tests. */
export function runVitest(title: string, config: string, environment: Readonly<Record<string, string>>): StepResult {
  print(`\n== ${title}`);
  const directory = mkdtempSync(join(tmpdir(), "fngate-report-"));
  const file = join(directory, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { status } = runTool("vitest", ["run", "--config", config, ...reporters], {
      environment,
    });
    const report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
    // A file that does not load, or an error outside a test, fails the run without a failed test.
    const failed = report.numFailedTests === 0 && status !== 0 ? 1 : report.numFailedTests;
    return { title, passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests };
  } catch (error) {
    print(`FAILED  ${title}: no report: ${error instanceof Error ? error.message : String(error)}`);
    return { title, passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

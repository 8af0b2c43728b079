/**
 * `pnpm test` runs everything, `pnpm check` all but the end-to-end tests: provides a real etcd and a real Redis, prints
 * each step as it goes, and closes with `N passed, N failed`. A step that is no test suite counts as one test.
 */
import { checkSteps } from "./check-steps.ts";
import { provideServers } from "./provide-servers.ts";
import { print, runStep, runVitest, type StepResult } from "./steps.ts";

const isCheckOnly = process.argv[2] === "check";
const results: StepResult[] = [];

const servers = provideServers();
print(`servers for the tests: ${Object.values(servers).join(", ")}`);

for (const step of checkSteps) results.push(runStep(step));
results.push(runVitest("unit and contract tests", "packages/vitest.config.ts", servers));
if (!isCheckOnly) results.push(runVitest("end-to-end tests", "e2e/vitest.config.ts", servers));

const sum = (pick: (result: StepResult) => number) => results.reduce((total, result) => total + pick(result), 0);
const [passed, failed, skipped] = [sum((one) => one.passed), sum((one) => one.failed), sum((one) => one.skipped)];

print("\nTotals");
for (const { title, ...counts } of results) {
  print(`  ${title}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
}
// Nothing is skipped silently: whoever skips a test has to count it as failed.
print(`${passed} passed, ${failed + skipped} failed`);
process.exitCode = failed + skipped === 0 ? 0 : 1;

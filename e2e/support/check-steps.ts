import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command, ROOT, runTool, type Step } from "./steps.ts";

/** What production dependencies may be licensed under. */
const LICENCES: ReadonlySet<string> = new Set([
  "MIT",
  "ISC",
  "BSD",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "0BSD",
]);

/**
 * Packages that hold nothing but lists of licence names, under licences for texts. They come with the framework of the
 * sample function; the gateway itself does not load them.
 */
const DATA_PACKAGES: ReadonlySet<string> = new Set(["spdx-exceptions", "spdx-license-ids"]);

/** Everything `pnpm check` looks at before it runs tests, cheapest first. */
export const checkSteps: readonly Step[] = [
  { title: "format, imports and structure (biome)", check: command("biome", "ci", "--error-on-warnings") },
  { title: "types (tsc -b)", check: command("tsc", "-b", "packages") },
  { title: "types of tests (tsc)", check: command("tsc", "-p", "packages/tsconfig.test.json") },
  {
    title: "promises and switches (oxlint)",
    check: command("oxlint", "--type-aware", "--deny-warnings", "packages", "e2e"),
  },
  {
    title: "type tests (vitest)",
    check: command("vitest", "run", "--config", "packages/vitest.config.ts", "--typecheck.only"),
  },
  { title: "generated files are up to date", check: checkGenerated },
  { title: "no unused files, exports or dependencies (knip)", check: command("knip", "--no-config-hints") },
  { title: "packages are well-formed (publint)", check: checkPackages },
  { title: "licences of production dependencies", check: checkLicences },
];

/** Runs every generator and compares what it left with what was there before. */
function checkGenerated(): string | undefined {
  const before = fingerprint();
  const { status } = runTool("pnpm", ["run", "gen"]);
  if (status !== 0) return "pnpm gen failed";
  return fingerprint() === before ? undefined : "pnpm gen changes files; run it and commit what it writes";
}

/** A hash of everything git would notice, so that the check works on uncommitted changes too. */
function fingerprint(): string {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const files = runTool("git", args, { isQuiet: true })
    .stdout.split("\0")
    .filter((file) => file !== "");
  if (files.length === 0) throw new Error("git lists no files here");
  const hash = createHash("sha256");
  for (const file of files) {
    const path = join(ROOT, file);
    hash.update(`${file}\0`).update(existsSync(path) ? readFileSync(path) : "");
  }
  return hash.digest("hex");
}

function checkPackages(): string | undefined {
  const names = readdirSync(join(ROOT, "packages")).filter((name) =>
    existsSync(join(ROOT, "packages", name, "package.json")),
  );
  const bad = names.filter((name) => {
    const { status, stdout, stderr } = runTool("publint", ["run", `packages/${name}`, "--pack", "false", "--strict"], {
      isQuiet: true,
    });
    if (status !== 0) process.stdout.write(`${stdout}${stderr}`);
    return status !== 0;
  });
  return bad.length === 0 ? undefined : `publint is not content with ${bad.join(", ")}`;
}

function checkLicences(): string | undefined {
  const { stdout, status } = runTool("pnpm", ["licenses", "list", "--prod", "--json"], { isQuiet: true });
  if (status !== 0) return "pnpm licenses failed";
  const byLicence = JSON.parse(stdout) as Readonly<Record<string, readonly { readonly name: string }[]>>;
  const wrong = Object.entries(byLicence)
    .filter(([licence]) => !isAllowed(licence))
    .flatMap(([licence, packages]) => packages.map(({ name }) => ({ name, licence })))
    .filter(({ name }) => !DATA_PACKAGES.has(name));
  return wrong.length === 0 ? undefined : wrong.map(({ name, licence }) => `${name}: ${licence}`).join(", ");
}

/** Of alternatives one must be allowed, of conjunctions all. */
function isAllowed(licence: string): boolean {
  const text = licence.replace(/[()]/g, "");
  if (text.includes(" OR ")) return text.split(" OR ").some(isAllowed);
  return text.split(" AND ").every((name) => LICENCES.has(name.trim()));
}

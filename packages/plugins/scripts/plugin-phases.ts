import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Phases in the order they run in. */
const PHASES = ["rewrite", "access", "beforeProxy", "headerFilter", "bodyFilter", "encodeBody", "log"] as const;

/** A member of an object or class that has the name of a phase. */
const MEMBER = new RegExp(`(?:^|[{,])\\s*(?:override |async )*(${PHASES.join("|")})\\s*(?=[(:,}])`, "gm");

/** What names things without being them: comments and imports. */
const ASIDE = /\/\*.*?\*\/|\/\/[^\n]*|^import [^;]*;/gms;

const IMPORT = /from "(\.[^"]+\.ts)"/g;

/**
 * The phases that a plugin may implement, read off its sources and the shared ones they import: which of them an
 * instance has depends on its configuration, and a page about all configurations cannot ask one.
 */
export function phasesOf(folder: string): readonly string[] {
  const sources = new Set<string>();
  for (const file of readdirSync(folder)) {
    if (file.endsWith(".ts") && !file.includes(".test")) collect(join(folder, file), sources);
  }
  const found = new Set<string>();
  for (const path of sources) {
    for (const [, phase = ""] of readFileSync(path, "utf8").replaceAll(ASIDE, "").matchAll(MEMBER)) found.add(phase);
  }
  return PHASES.filter((phase) => found.has(phase));
}

function collect(path: string, sources: Set<string>): void {
  if (sources.has(path)) return;
  sources.add(path);
  for (const [, target = ""] of readFileSync(path, "utf8").matchAll(IMPORT))
    collect(join(dirname(path), target), sources);
}

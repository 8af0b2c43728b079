/** What one process of a gateway tells about itself, in Prometheus' text format. */
export interface ProcessMetrics {
  /** Value of the label `worker` on what cannot be added up. */
  readonly worker: string;
  readonly text: string;
}

/** How a metric of several processes becomes one. */
type Merge = "sum" | "min" | "max" | "apart";

/** Metrics about the configuration and the machine, which every process tells alike; by the end of their names. */
const GAUGES: ReadonlyMap<string, Merge> = new Map([
  ["node_info", "max"],
  ["etcd_reachable", "min"],
  ["etcd_modify_indexes", "max"],
  ["upstream_status", "min"],
  ["fngate_config_last_reload_success", "min"],
  ["fngate_config_last_reload_success_timestamp_seconds", "min"],
  ["fngate_config_applied_revision", "min"],
  ["fngate_config_routes", "max"],
  ["fngate_config_diagnostics", "max"],
]);

interface Family {
  readonly head: readonly string[];
  readonly merge: Merge;
  readonly samples: Map<string, number>;
}

/**
 * Adds the metrics of several processes up: counts and histograms are sums, what all tell alike is told once (of
 * several revisions the oldest), and what belongs to a process (`process_*`, `nodejs_*`) has the label `worker`.
 */
export function mergeMetrics(processes: readonly ProcessMetrics[]): string {
  const families = new Map<string, Family>();
  for (const one of processes) addProcess(families, one);
  let text = "";
  for (const { head, samples } of families.values()) {
    for (const line of head) text += `${line}\n`;
    for (const [key, value] of samples) text += `${key} ${renderNumber(value)}\n`;
  }
  return text;
}

/** Of a process that is gone, what must not be forgotten: counts, that would otherwise fall. */
export function keepCounts(text: string): string {
  const kept: string[] = [];
  let isKept = false;
  let head: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("# HELP ")) head = [line];
    else if (line.startsWith("# TYPE ")) {
      const [, , name = "", type] = line.split(" ");
      isKept = mergeOf(name, type) === "sum" && (type !== "gauge" || name.endsWith("_total"));
      if (isKept) kept.push(...head, line);
      head = [];
    } else if (isKept && line !== "") kept.push(line);
  }
  return `${kept.join("\n")}\n`;
}

function addProcess(families: Map<string, Family>, { text, worker }: ProcessMetrics): void {
  let family: Family | undefined;
  let help: string | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    if (line.startsWith("# HELP ")) help = line;
    else if (line.startsWith("# TYPE ")) {
      family = familyOf(families, line, help);
      help = undefined;
    } else if (family !== undefined && !line.startsWith("#")) addSample(family, line, worker);
  }
}

function familyOf(families: Map<string, Family>, line: string, help: string | undefined): Family {
  const [, , name = "", type] = line.split(" ");
  let family = families.get(name);
  if (family === undefined) {
    family = { head: help === undefined ? [line] : [help, line], merge: mergeOf(name, type), samples: new Map() };
    families.set(name, family);
  }
  return family;
}

function mergeOf(name: string, type: string | undefined): Merge {
  if (name.startsWith("process_") || name.startsWith("nodejs_")) return "apart";
  if (type !== "gauge") return "sum";
  for (const [ending, merge] of GAUGES) if (name.endsWith(ending)) return merge;
  return "sum";
}

function addSample({ merge, samples }: Family, line: string, worker: string): void {
  const space = line.lastIndexOf(" ");
  const series = line.slice(0, space);
  const value = parseNumber(line.slice(space + 1));
  const key = merge === "apart" ? withWorker(series, worker) : series;
  const known = samples.get(key);
  samples.set(key, known === undefined ? value : combine(merge, known, value));
}

function combine(merge: Merge, known: number, value: number): number {
  if (merge === "min") return Math.min(known, value);
  return merge === "max" ? Math.max(known, value) : known + value;
}

function withWorker(series: string, worker: string): string {
  const brace = series.indexOf("{");
  if (brace < 0) return `${series}{worker="${worker}"}`;
  return `${series.slice(0, brace)}{worker="${worker}",${series.slice(brace + 1)}`;
}

/** Prometheus' words for what JavaScript spells otherwise. */
function parseNumber(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

function renderNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return Number.isNaN(value) ? "NaN" : String(value);
}

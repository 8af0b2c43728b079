/** States of a node under health checks. */
export type NodeState = "healthy" | "unhealthy" | "mostly_healthy" | "mostly_unhealthy";

/** One checked node, as the Control API shows it (APISIX: `/v1/healthcheck`). */
export interface NodeReport {
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly hostheader?: string;
  readonly status: NodeState;
  readonly counter: {
    readonly success: number;
    readonly http_failure: number;
    readonly tcp_failure: number;
    readonly timeout_failure: number;
  };
}

/** The checks of one object. */
export interface HealthReport {
  /** The object's store key. */
  readonly name: string;
  /** `http`, `https` or `tcp`. */
  readonly type: string | undefined;
  readonly nodes: readonly NodeReport[];
}

/** The page that browsers get, one row per node. */
export function renderHealthPage(reports: readonly HealthReport[]): string {
  const rows = reports.flatMap(({ name, type, nodes }) => nodes.map((node) => rowOf(name, type ?? "", node)));
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<title>Upstream health</title>
<style>
table { border-collapse: collapse; }
td, th { border: 1px solid; padding: 0.2em 0.5em; text-align: left; }
.down { background: #fbb; }
</style>
</head>
<body>
<h1>Upstream health</h1>
<table>
<tr>${HEADINGS.map((heading) => `<th>${heading}</th>`).join("")}</tr>
${rows.map((cells, index) => renderRow([String(index + 1), ...cells])).join("\n")}
</table>
</body>
</html>
`;
}

/** APISIX's columns, in its order: scripts read them by position. */
const HEADINGS = [
  "Index",
  "Upstream",
  "Check type",
  "Host",
  "Status",
  "Successes",
  "TCP failures",
  "HTTP failures",
  "Timeouts",
];

const STATUS_COLUMN = 4;

function rowOf(name: string, type: string, { ip, port, status, counter }: NodeReport): string[] {
  const counts = [counter.success, counter.tcp_failure, counter.http_failure, counter.timeout_failure];
  return [name, type, `${ip}:${port}`, status, ...counts.map(String)];
}

function renderRow(cells: readonly string[]): string {
  const isUp = cells[STATUS_COLUMN]?.endsWith("unhealthy") === false;
  return `<tr${isUp ? "" : ' class="down"'}>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

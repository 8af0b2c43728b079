import type { LogContext, Variables } from "@fngate/plugin-kit";
import type { BodyLog } from "./logged-bodies.ts";
import { readableText } from "./readable-text.ts";

/** An entry of a log. */
export type LogEntry = Record<string, unknown>;

/** A format that is taken apart once. */
export interface LogFormat {
  /** Whether the format has the request's body in it, whatever else is configured. */
  readonly needsRequestBody: boolean;
  /** The members in the format's order; variables without a value are left out. */
  render(context: LogContext, bodies: BodyLog): LogEntry;
}

type Part = (context: LogContext, bodies: BodyLog) => unknown;

/** Maps inside of maps; deeper ones are empty (APISIX: log format). */
const MAX_DEPTH = 5;

/** Variables that are logged as numbers; those with a value for each attempt are added up. */
const NUMBERS: ReadonlySet<string> = new Set([
  "status",
  "request_time",
  "request_length",
  "bytes_sent",
  "upstream_response_time",
  "upstream_header_time",
  "upstream_connect_time",
]);

/** Compiles a map of constants, `$variables` and maps. */
export function compileLogFormat(format: Readonly<Record<string, unknown>>): LogFormat {
  const render = compileMap(format, 1);
  return {
    needsRequestBody: JSON.stringify(format).includes('"$request_body"'),
    render: (context, bodies) => render(context, bodies) as LogEntry,
  };
}

function compilePart(value: unknown, depth: number): Part {
  if (typeof value === "string") return value.startsWith("$") ? compileVariable(value.slice(1)) : () => value;
  if (typeof value !== "object" || value === null) return () => value;
  if (depth >= MAX_DEPTH) return Array.isArray(value) ? () => [] : () => ({});
  if (!Array.isArray(value)) return compileMap(value as Readonly<Record<string, unknown>>, depth + 1);
  const items = value.map((item: unknown) => compilePart(item, depth + 1));
  return (context, bodies) => items.map((item) => item(context, bodies));
}

function compileMap(format: Readonly<Record<string, unknown>>, depth: number): Part {
  const members = Object.entries(format).map(([name, value]) => [name, compilePart(value, depth)] as const);
  return (context, bodies) => {
    const entry: [string, unknown][] = [];
    for (const [name, part] of members) {
      const value = part(context, bodies);
      if (value !== undefined) entry.push([name, value]);
    }
    return Object.fromEntries(entry);
  };
}

function compileVariable(name: string): Part {
  if (name === "request_body") return (context, bodies) => bodies.request(context);
  if (name === "resp_body") return (context, bodies) => bodies.response(context) ?? "";
  if (NUMBERS.has(name)) return ({ variables }) => numberOf(name, variables);
  return ({ variables }) => {
    const value = variables.get(name);
    return typeof value === "string" ? readableText(value) : (value ?? undefined);
  };
}

function numberOf(name: string, variables: Variables): unknown {
  const value = variables.get(name);
  if (typeof value !== "string") return value;
  const numbers = value.split(/[,:]\s*/).map(Number);
  return numbers.some(Number.isNaN) ? value : numbers.reduce((sum, one) => sum + one, 0);
}

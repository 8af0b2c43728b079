import { compileTemplate, type RequestContext } from "@fngate/plugin-kit";
import { isOwnField, safeFieldValue, toByteString } from "../shared/wire-text.ts";
import { type HeaderOperations, isOperations, type ProxyRewriteConfig } from "./schema.ts";
import type { Captures } from "./target.ts";

/** Changes the fields of a request; `captures` are the groups of `regex_uri`. */
export type HeaderChange = (context: RequestContext, captures: Captures) => void;

type RenderValue = (context: RequestContext, captures: Captures) => string;

interface FieldChange {
  readonly name: string;
  readonly values: readonly RenderValue[];
}

/**
 * Compiles `headers`: fields are added, then set, then removed (APISIX: proxy-rewrite). An empty value is none, so that
 * setting one removes the field.
 */
export function compileHeaders(headers: ProxyRewriteConfig["headers"]): HeaderChange {
  if (headers === undefined) return () => {};
  const operations: HeaderOperations = isOperations(headers) ? headers : { set: headers };
  const added = compileFields(operations.add);
  const set = compileFields(operations.set);
  const removed = (operations.remove ?? []).filter(isOwnField).map((name) => name.toLowerCase());
  return (context, captures) => {
    const { headers: fields } = context.request;
    const render = (values: readonly RenderValue[]): string[] =>
      values.map((value) => value(context, captures)).filter((text) => text !== "");
    for (const { name, values } of added) {
      for (const value of render(values)) fields.append(name, value);
    }
    for (const { name, values } of set) {
      fields.delete(name.toLowerCase());
      for (const value of render(values)) fields.append(name, value);
    }
    for (const name of removed) fields.delete(name);
  };
}

function compileFields(fields: HeaderOperations["add"]): readonly FieldChange[] {
  return Object.entries(fields ?? {})
    .filter(([name]) => isOwnField(name))
    .map(([name, values]) => ({ name, values: [values].flat().map((value) => compileValue(String(value))) }));
}

const CAPTURE = /(?<!\\)\$(?:\{(\d+)\}|(\d+))/;

/** Variables and groups are filled in at once, so that a `$` in a group stays one. */
function compileValue(text: string): RenderValue {
  // Splitting at a pattern with groups puts text and the two groups of each separator one after the other.
  const pieces = toByteString(text).split(CAPTURE);
  const parts: RenderValue[] = [];
  for (let index = 0; index < pieces.length; index += 3) {
    const template = compileTemplate(pieces[index] ?? "");
    parts.push(({ variables }) => template.render(variables));
    const group = pieces[index + 1] ?? pieces[index + 2];
    if (group !== undefined) parts.push((_, captures) => captures[Number(group)] ?? "");
  }
  return (context, captures) => safeFieldValue(parts.map((part) => part(context, captures)).join(""));
}

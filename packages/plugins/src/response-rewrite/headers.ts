import { compileTemplate, type ResponseContext, type Template } from "@fngate/plugin-kit";
import { isOwnField, safeFieldValue, toByteString } from "../shared/wire-text.ts";
import { type HeaderOperations, isOperations, type ResponseRewriteConfig } from "./schema.ts";

type Field = readonly [name: string, value: Template];

/** Compiles `headers`: added, then set (an empty value removes the field), then removed (APISIX: response-rewrite). */
export function compileHeaders(headers: ResponseRewriteConfig["headers"]): (context: ResponseContext) => void {
  if (headers === undefined) return () => {};
  const operations: HeaderOperations = isOperations(headers) ? headers : { set: headers };
  const added = compileFields((operations.add ?? []).map(splitField));
  const set = compileFields(Object.entries(operations.set ?? {}));
  const removed = (operations.remove ?? []).filter(isOwnField).map((name) => name.toLowerCase());
  return ({ response, variables }) => {
    const { headers: fields } = response;
    for (const [name, value] of added) fields.append(name, safeFieldValue(value.render(variables)));
    for (const [name, template] of set) {
      const value = safeFieldValue(template.render(variables));
      if (value === "") fields.delete(name.toLowerCase());
      else fields.set(name, value);
    }
    for (const name of removed) fields.delete(name);
  };
}

function splitField(text: string): readonly [string, string] {
  const colon = text.indexOf(":");
  return [text.slice(0, colon).trimEnd(), text.slice(colon + 1).trimStart()];
}

function compileFields(fields: readonly (readonly [string, string | number])[]): readonly Field[] {
  return fields
    .filter(([name]) => isOwnField(name))
    .map(([name, value]) => [name, compileTemplate(toByteString(String(value)))]);
}

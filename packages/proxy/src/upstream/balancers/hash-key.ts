import type { VariableReader } from "./balancer.ts";

/** Where a request's key comes from, as `upstream.hash_on` names it; given `upstream.key`, a reader of the key. */
const SOURCES: Readonly<Record<string, (key: string) => (variable: VariableReader) => string | undefined>> = {
  vars: (key) => (variable) => variable(key),
  header: (key) => (variable) => variable(`http_${key.replaceAll("-", "_").toLowerCase()}`),
  cookie: (key) => (variable) => variable(`cookie_${key}`),
  consumer: () => (variable) => variable("consumer_name"),
  vars_combinations: compileTemplate,
};

/**
 * Compiles what a request is hashed by. A request without that value is hashed by its client's address (APISIX:
 * `hash_on` and `key`).
 */
export function compileHashKey(hashOn: string, key: string | undefined): (variable: VariableReader) => string {
  const source = Object.hasOwn(SOURCES, hashOn) ? SOURCES[hashOn] : SOURCES["vars"];
  const read = source?.(key ?? "") ?? (() => undefined);
  return (variable) => read(variable) ?? variable("remote_addr") ?? "";
}

/** A text with `$name` and `${name}`; absent when not one of its variables has a value. */
function compileTemplate(template: string): (variable: VariableReader) => string | undefined {
  // Splits into text, `{name}` group, bare-name group, text, and so on.
  const parts = template.split(/\$(?:\{([a-zA-Z_0-9.]+)\}|([a-zA-Z_0-9.]+))/);
  return (variable) => {
    let text = parts[0] ?? "";
    let resolved = 0;
    for (let index = 1; index < parts.length; index += 3) {
      const value = variable(parts[index] ?? parts[index + 1] ?? "");
      if (value !== undefined) resolved += 1;
      text += (value ?? "") + (parts[index + 2] ?? "");
    }
    return resolved === 0 ? undefined : text;
  };
}

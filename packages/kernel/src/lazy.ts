/**
 * Makes a value when it is first asked for, and keeps it. A throw keeps nothing: the next call tries again. Libraries
 * that few configurations need are loaded this way, because what is imported at the top costs every start.
 *
 * ```ts
 * const require = createRequire(import.meta.url);
 * const jose = lazy((): typeof import("jose") => require("jose"));
 * ```
 */
export function lazy<TValue>(make: () => TValue): () => TValue {
  let made: { readonly value: TValue } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

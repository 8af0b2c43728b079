/** What becomes of an object that has a field of Lua, and what to do instead. Decision: docs/decision-lua.md. */
export function luaRefusal(field: "filter_func" | "script", kind: "route" | "service"): string {
  const instead = { filter_func: "say it with vars", script: "write a plugin in TypeScript (fngate plugin new)" }[
    field
  ];
  return `${field} is Lua, which is not run: the ${kind} is not in use; ${instead}`;
}

const PREFIX = "post_arg.";

/** `.name`, `..name`, `.*`. */
const NAME = /\.{1,2}(?:\*|[^.[\]*()'"\s]+)/y;
/** `[0]`, `[-1,2]`, `[1:3]`, `['a',"b"]`, `[*]`. */
const SUBSCRIPT =
  /(?:\.\.)?\[\s*(?:\*|(?:-?\d*:-?\d*(?::-?\d*)?|-?\d+|'[^']*'|"[^"]*")(?:\s*,\s*(?:-?\d+|'[^']*'|"[^"]*"))*)\s*\]/y;
/** `[?(…)]` and `[(…)]`, whose inside is read when it is evaluated. */
const SCRIPT = /(?:\.\.)?\[\??\(/y;
const SCRIPT_END = ")]";

/**
 * What is wrong with the JSONPath of a `post_arg.<path>` condition anywhere in a `vars` expression; the whole
 * `error_msg`. For expressions that {@link expressionProblem} accepts. APISIX: JSONPath check of routes.
 */
export function postArgumentProblem(vars: unknown): string | undefined {
  if (!Array.isArray(vars)) return undefined;
  const [name] = vars;
  if (typeof name === "string" && name.startsWith(PREFIX)) return pathProblem(name.slice(PREFIX.length));
  for (const member of vars) {
    const problem = postArgumentProblem(member);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function pathProblem(path: string): string | undefined {
  // The path continues the document's root, so it starts with a separator like any other segment.
  const text = `.${path}`;
  let at = 0;
  while (at < text.length) {
    const end = endOfSegment(text, at);
    if (end === undefined) {
      const rest = text.slice(Math.max(at, 1));
      return `failed to validate the 'vars' expression: invalid expression near "${rest}"`;
    }
    at = end;
  }
  return undefined;
}

function endOfSegment(text: string, at: number): number | undefined {
  const end = endOf(NAME, text, at) ?? endOf(SUBSCRIPT, text, at);
  if (end !== undefined) return end;
  const script = endOf(SCRIPT, text, at);
  if (script === undefined) return undefined;
  const close = text.indexOf(SCRIPT_END, script);
  return close < 0 ? undefined : close + SCRIPT_END.length;
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

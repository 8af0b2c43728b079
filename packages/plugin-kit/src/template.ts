import type { Variables } from "./context.ts";

/** A text with `$variables` in it, taken apart once. */
export interface Template {
  /** The text with the values in place; absent variables are empty. */
  render(variables: Pick<Variables, "get">): string;
  /** The same, or nothing when not one variable had a value or a fallback. */
  resolve(variables: Pick<Variables, "get">): string | undefined;
}

interface Part {
  readonly text: string;
  /** Absent: {@link Part.text} as it is; else it is what stands in for an absent value. */
  readonly variable: string | undefined;
}

const MARK = /\\\$|\$\{\s*([A-Za-z_][\w.-]*)\s*(?:\?\?\s*([^}]*?)\s*)?\}|\$(post_arg\.[\w.]*\w|[A-Za-z_]\w*)/g;

/**
 * Compiles `$name`, `${name}` and `${name ?? fallback}`; `\$` is a dollar sign (APISIX routing, templates). A name
 * without braces ends before a dot, except in `$post_arg.path.of.a.member`.
 */
export function compileTemplate(text: string): Template {
  const parts = partsOf(text);
  const [only] = parts;
  if (parts.length <= 1 && only?.variable === undefined) {
    const constant = only?.text ?? "";
    return { render: () => constant, resolve: () => undefined };
  }
  return {
    render: (variables) => parts.map((part) => valueIn(part, variables) ?? part.text).join(""),
    resolve(variables) {
      let isResolved = false;
      const texts = parts.map((part) => {
        const value = valueIn(part, variables);
        isResolved ||= (value ?? (part.text || undefined)) !== undefined && part.variable !== undefined;
        return value ?? part.text;
      });
      return isResolved ? texts.join("") : undefined;
    },
  };
}

/** A variable's value as text: lists joined, what is no text printed. */
export function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : String(value);
}

function partsOf(text: string): readonly Part[] {
  const parts: Part[] = [];
  let plain = "";
  let from = 0;
  for (const match of text.matchAll(MARK)) {
    plain += text.slice(from, match.index);
    from = match.index + match[0].length;
    const variable = match[1] ?? match[3];
    if (variable === undefined) {
      plain += "$";
      continue;
    }
    if (plain !== "") parts.push({ text: plain, variable: undefined });
    plain = "";
    parts.push({ text: match[2] ?? "", variable });
  }
  plain += text.slice(from);
  if (plain !== "") parts.push({ text: plain, variable: undefined });
  return parts;
}

function valueIn({ variable }: Part, variables: Pick<Variables, "get">): string | undefined {
  return variable === undefined ? undefined : textOf(variables.get(variable));
}

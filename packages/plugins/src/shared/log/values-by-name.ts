import { percentDecode } from "../percent-encoding.ts";
import { addValue } from "../repeated-values.ts";
import { readableText } from "./readable-text.ts";

type Value = string | true;

/** Header fields by lower-case name; a repeated one has a list. */
export function fieldsByName(raw: readonly string[]): Readonly<Record<string, unknown>> {
  const values = new Map<string, Value | Value[]>();
  for (let index = 0; index < raw.length; index += 2) {
    addValue(values, (raw[index] as string).toLowerCase(), readableText(raw[index + 1] as string));
  }
  return Object.fromEntries(values);
}

/** Arguments of a query by name, decoded; a repeated one has a list, one without `=` is `true`. */
export function argumentsByName(query: string): Readonly<Record<string, unknown>> {
  const values = new Map<string, Value | Value[]>();
  for (const part of query === "" ? [] : query.split("&")) {
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    if (name !== "") addValue(values, name, equals < 0 ? true : decode(part.slice(equals + 1)));
  }
  return Object.fromEntries(values);
}

function decode(text: string): string {
  return readableText(percentDecode(text.replaceAll("+", " ")));
}

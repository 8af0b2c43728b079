import { messageOf } from "@fngate/kernel";
import type { RequestContext } from "@fngate/plugin-kit";
import { percentDecode } from "../shared/percent-encoding.ts";

/** A body as a validator sees it, or why it cannot be seen. */
export type DecodedBody =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "form"; readonly value: unknown }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Decodes a form where the content type says so, else JSON. */
export function decodeBody(bytes: Uint8Array, contentType: string | undefined): DecodedBody {
  const text = Buffer.from(bytes).toString("utf8");
  if (contentType?.toLowerCase().startsWith("application/x-www-form-urlencoded") === true) {
    return { kind: "form", value: decodeForm(text) };
  }
  try {
    return { kind: "json", value: JSON.parse(text) };
  } catch (error) {
    return { kind: "unreadable", reason: messageOf(error) };
  }
}

/** The request's fields by lower-case name; a repeated one is a list. */
export function fieldsOf({ request }: RequestContext): Record<string, unknown> {
  const fields: [string, string][] = [];
  const { raw } = request.headers;
  for (let index = 0; index < raw.length; index += 2) {
    fields.push([(raw[index] as string).toLowerCase(), raw[index + 1] as string]);
  }
  return collect(fields);
}

function decodeForm(text: string): Record<string, unknown> {
  const fields = text.split("&").flatMap((pair): [string, unknown][] => {
    const equals = pair.indexOf("=");
    const name = decodeText(equals < 0 ? pair : pair.slice(0, equals));
    if (name === "") return [];
    return [[name, equals < 0 ? true : decodeText(pair.slice(equals + 1))]];
  });
  return collect(fields);
}

function decodeText(text: string): string {
  const bytes = percentDecode(Buffer.from(text.replaceAll("+", " "), "utf8").toString("latin1"));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function collect(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const values = new Map<string, unknown[]>();
  for (const [name, value] of entries) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]));
}

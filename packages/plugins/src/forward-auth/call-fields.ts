import { HeaderList } from "@fngate/kernel";
import { compileTemplate, type RequestContext, type Template } from "@fngate/plugin-kit";
import { isOwnField } from "../shared/wire-text.ts";
import type { ForwardAuthConfig } from "./schema.ts";

/** Makes the fields of a call, flat `[name, value, …]`. */
export type CallFields = (context: RequestContext) => readonly string[];

/** Compiles what the service is told of a request. */
export function compileCallFields(config: ForwardAuthConfig): CallFields {
  const extra = Object.entries(config.extra_headers ?? {}).filter(([name]) => isOwnField(name));
  const templates = extra.map(([name, text]): [string, Template] => [name, compileTemplate(text)]);
  const copied = config.request_headers.filter(isOwnField);
  return (context) => {
    const { headers } = context.request;
    const fields = new HeaderList(ownFields(context));
    if (config.request_method === "POST") copy(headers, fields, "Content-Encoding");
    for (const [name, template] of templates) fields.set(name, template.render(context.variables));
    for (const name of copied) copy(headers, fields, name);
    return fields.raw;
  };
}

function ownFields({ request, variables }: RequestContext): string[] {
  return [
    "X-Forwarded-Proto",
    request.scheme,
    "X-Forwarded-Method",
    request.method,
    "X-Forwarded-Host",
    request.host,
    "X-Forwarded-Uri",
    String(variables.get("request_uri")),
    "X-Forwarded-For",
    request.remoteAddress,
  ];
}

/** What the gateway itself says of the request comes before what the client says. */
function copy(from: HeaderList, to: HeaderList, name: string): void {
  const value = from.get(name.toLowerCase());
  if (value !== undefined && !to.has(name.toLowerCase())) to.append(name, value);
}

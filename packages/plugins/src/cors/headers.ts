import type { HeaderList } from "@fngate/kernel";
import type { CorsConfig } from "./schema.ts";

const ALL_METHODS = "GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE";

/** Writes the fields that allow an origin over what the answer has of them. */
export type AllowOrigin = (answer: HeaderList, allowedOrigin: string, requestedHeaders: string | undefined) => void;

/** Prepares the fields that are the same for every answer. */
export function compileAllowOrigin(config: CorsConfig): AllowOrigin {
  const methods = config.allow_methods === "**" ? ALL_METHODS : config.allow_methods;
  const fixed: [string, string][] = [
    ["Access-Control-Allow-Methods", methods],
    ["Access-Control-Max-Age", String(config.max_age)],
  ];
  if (config.expose_headers !== undefined && config.expose_headers !== "") {
    fixed.push(["Access-Control-Expose-Headers", config.expose_headers]);
  }
  if (config.allow_credential) fixed.push(["Access-Control-Allow-Credentials", "true"]);
  const areHeadersEchoed = config.allow_headers === "**";
  return (answer, allowedOrigin, requestedHeaders) => {
    answer.set("Access-Control-Allow-Origin", allowedOrigin);
    for (const [name, value] of fixed) answer.set(name, value);
    const allowed = areHeadersEchoed ? requestedHeaders : config.allow_headers;
    if (allowed === undefined) answer.delete("access-control-allow-headers");
    else answer.set("Access-Control-Allow-Headers", allowed);
  };
}

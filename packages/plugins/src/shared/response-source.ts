import type { LogContext } from "@fngate/plugin-kit";

/** APISIX's words for where an answer was made: `nginx` stands for an upstream that was called and gave none. */
export function responseSourceOf({ attempts, response }: LogContext): "apisix" | "nginx" | "upstream" {
  if (response.source === "upstream") return "upstream";
  return response.source === "gateway" && attempts.length > 0 ? "nginx" : "apisix";
}

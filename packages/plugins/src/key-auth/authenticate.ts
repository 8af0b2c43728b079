import type { PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { type Authentication, conclude } from "../shared/auth.ts";
import { withoutArgument } from "../shared/query-arguments.ts";
import type { KeyAuthConsumer } from "./consumer-schema.ts";
import type { KeyAuthConfig } from "./schema.ts";

type Deps = PluginDeps<KeyAuthConsumer>;

/** Sets up one configuration: whoever presents a consumer's key is that consumer. */
export function authenticateByKey(config: KeyAuthConfig, { consumers }: Deps): PluginInstance {
  const header = config.header.toLowerCase();
  const conclusion = {
    consumers,
    challenge: `apikey realm="${config.realm}"`,
    anonymousConsumer: config.anonymous_consumer,
  };
  return {
    rewrite(context) {
      const fromHeader = context.request.headers.get(header);
      const key = fromHeader ?? argumentOf(context, config.query);
      const found = lookUp(context, key, consumers);
      const refusal = conclude(context, found, conclusion);
      // A refused request keeps them for the next alternative (`multi-auth`).
      if (refusal === undefined && config.hide_credentials) {
        const isFound = typeof found !== "string";
        // An anonymous request may carry keys in both places, and neither is the upstream's business.
        hide(context, { header, query: config.query, only: isFound ? sourceOf(fromHeader) : undefined });
      }
      return refusal;
    },
  };
}

function lookUp(
  context: RequestContext,
  key: string | undefined,
  consumers: Deps["consumers"],
): Authentication<KeyAuthConsumer> {
  if (key === undefined) return "Missing API key in request";
  return consumers.find(context, key) ?? "Invalid API key in request";
}

function argumentOf({ variables }: RequestContext, name: string): string | undefined {
  const value = variables.get(`arg_${name}`);
  return typeof value === "string" ? value : undefined;
}

type Source = "header" | "query";

function sourceOf(fromHeader: string | undefined): Source {
  return fromHeader === undefined ? "query" : "header";
}

interface Places {
  readonly header: string;
  readonly query: string;
  /** Absent: both. */
  readonly only: Source | undefined;
}

function hide({ request }: RequestContext, { header, only, query }: Places): void {
  if (only !== "query") request.headers.delete(header);
  if (only !== "header") request.query = withoutArgument(request.query, query);
}

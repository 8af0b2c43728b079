import type { Reply, RequestContext } from "./context.ts";

/** An HTTP endpoint that a plugin brings; reached through the `public-api` plugin, or on the Control API. */
export interface PluginApi {
  readonly methods: readonly string[];
  /** Whole path, e.g. `/apisix/batch-requests`; a `*` at the end takes everything below. */
  readonly path: string;
  handle(context: RequestContext): Reply | Promise<Reply>;
}

/** The first endpoint that takes this method and path. */
export function findApi(apis: readonly PluginApi[], method: string, path: string): PluginApi | undefined {
  return apis.find((api) => api.methods.includes(method) && isPath(api.path, path));
}

function isPath(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

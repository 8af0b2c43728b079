import { GatewayError, HeaderList, type Logger } from "@fngate/kernel";
import type { NestedPlugin, PhaseResult, PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { alternativesOf, type MultiAuthConfig } from "./schema.ts";

/** Sets up one configuration: the first plugin that lets a request through says whose it is. */
export function authenticateByAny(config: MultiAuthConfig, deps: PluginDeps): PluginInstance {
  const plugins = setUpAll(config, deps);
  return {
    rewrite: (context) => authenticate(context, plugins, deps.logger),
    dispose: () => disposeAll(plugins),
  };
}

function setUpAll(config: MultiAuthConfig, { owner, plugins: directory }: PluginDeps): readonly NestedPlugin[] {
  const plugins: NestedPlugin[] = [];
  try {
    for (const [name, own] of alternativesOf(config)) {
      const plugin = directory.setUp(name, withoutMeta(own), owner);
      plugins.push(plugin);
      if (!plugin.isAuth || plugin.instance.rewrite === undefined)
        throw new GatewayError("PLUGIN_INVALID", `${name} plugin is not supported`);
    }
    return plugins;
  } catch (error) {
    disposeAll(plugins);
    throw error;
  }
}

/**
 * A plugin that is switched off, or that a filter passes over, lets everybody through, which here would mean that it
 * knows who calls. APISIX does not look at `_meta` of alternatives either.
 */
function withoutMeta(config: unknown): unknown {
  if (typeof config !== "object" || config === null) return config;
  const { _meta: _, ...own }: Readonly<Record<string, unknown>> = { ...config };
  return own;
}

function disposeAll(plugins: readonly NestedPlugin[]): void {
  for (const { instance } of plugins) instance.dispose?.();
}

async function authenticate(
  context: RequestContext,
  plugins: readonly NestedPlugin[],
  logger: Logger,
): Promise<Reply | undefined> {
  const challenges: string[] = [];
  const problems: string[] = [];
  for (const { instance, name } of plugins) {
    if (instance.rewrite === undefined) continue;
    const refusal: PhaseResult = await instance.rewrite(context);
    if (!refusal) return undefined;
    if (refusal.kind !== "reply") throw new TypeError(`${name} calls a function instead of authenticating`);
    challenges.push(...challengesOf(refusal));
    problems.push(`${name}: ${refusal.status} ${messageOf(refusal)}`);
  }
  logger.info({ problems }, "nobody could be authenticated");
  return { kind: "reply", status: 401, headers: challenges, body: { message: "Authorization Failed" } };
}

/** What a client may try next (RFC 9110, 11.6.1). */
function challengesOf({ headers }: Reply): readonly string[] {
  return new HeaderList(headers).getAll("www-authenticate").flatMap((value) => ["WWW-Authenticate", value]);
}

function messageOf({ body }: Reply): string {
  if (typeof body !== "object" || body instanceof Uint8Array) return "";
  return typeof body["message"] === "string" ? body["message"] : "";
}

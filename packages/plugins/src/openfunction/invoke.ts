import type { PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { forwardToFunction } from "../shared/forward-to-function.ts";
import type { OpenfunctionConfig } from "./schema.ts";

/** Sets up the calls of one configuration; the token, when there is one, overrides what the client sent. */
export function invokeOpenfunction(config: OpenfunctionConfig, deps: PluginDeps): PluginInstance {
  const fields = credentialsOf(config.authorization?.service_token);
  return forwardToFunction({ config, credentials: () => fields }, deps);
}

function credentialsOf(serviceToken: string | undefined): readonly string[] {
  if (serviceToken === undefined) return [];
  return ["authorization", `Basic ${Buffer.from(serviceToken, "utf8").toString("base64")}`];
}

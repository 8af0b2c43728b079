import { type GatewaySetup, type RunningGateway, runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";

/** Starts a gateway whose only route, for every path, has the plugin. */
export function gatewayWith<TConfig, TConsumerConfig, TMetadata>(
  plugin: PluginDefinition<TConfig, TConsumerConfig, TMetadata>,
  config: Readonly<Record<string, unknown>>,
  setup: GatewaySetup = {},
): Promise<RunningGateway> {
  return runGateway({
    plugins: [plugin as PluginDefinition],
    routes: { 1: { uri: "/*", plugins: { [plugin.name]: config } } },
    ...setup,
  });
}

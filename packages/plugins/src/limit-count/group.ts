import { isDeepStrictEqual } from "node:util";
import { GatewayError, type Usage } from "@fngate/kernel";
import type { SharedState } from "@fngate/plugin-kit";
import type { LimitCountConfig } from "./schema.ts";

/**
 * Takes part in the configuration's group, if it names one.
 * @throws GatewayError `PLUGIN_INVALID` when the group's members are configured otherwise
 */
export function joinGroup(config: LimitCountConfig, shared: SharedState): Usage<unknown> | undefined {
  if (config.group === undefined) return undefined;
  const group = shared.acquire(`group ${config.group}`, () => config);
  if (isDeepStrictEqual(group.value, config)) return group;
  group.release();
  throw new GatewayError("PLUGIN_INVALID", "group conf mismatched");
}

import type { AdminAddress, Settings } from "../config/settings.ts";

/**
 * What a worker runs by: a data plane without the listeners beside the traffic. The store belongs to the primary,
 * which alone writes; one worker keeps the last known configuration.
 */
export function workerSettings(settings: Settings, index: number, admin: AdminAddress | undefined): Settings {
  const { proxy } = settings;
  const target = proxy?.proxyAdmin?.target ?? admin;
  return {
    ...settings,
    admin: undefined,
    sampleFunction: undefined,
    workers: 1,
    isStoreReadOnly: settings.admin !== undefined,
    proxy: proxy && {
      ...proxy,
      listenBeside: false,
      writesLastKnownFile: index === 0,
      proxyAdmin: proxy.proxyAdmin && { ...proxy.proxyAdmin, target },
    },
  };
}

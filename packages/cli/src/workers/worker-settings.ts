import { randomBytes } from "node:crypto";
import type { AdminAddress, ProxySettings, Settings } from "../config/settings.ts";

/** As many bytes as the hash that ticket keys are derived with. */
const TICKET_SECRET_BYTES = 32;

/**
 * What each worker runs by: a data plane without the listeners beside the traffic. The store belongs to the primary,
 * which alone writes; one worker keeps the last known configuration. All of them, and those started in their place, take
 * each other's session tickets.
 */
export function workerSettings(settings: Settings, admin: AdminAddress | undefined): (index: number) => Settings {
  const ticketSecret = randomBytes(TICKET_SECRET_BYTES);
  const { proxy } = settings;
  const shared = {
    ...settings,
    admin: undefined,
    sampleFunction: undefined,
    workers: 1,
    isStoreReadOnly: settings.admin !== undefined,
  };
  return (index) => ({ ...shared, proxy: proxy && workerProxy(proxy, { index, admin, ticketSecret }) });
}

interface WorkerShare {
  readonly index: number;
  readonly admin: AdminAddress | undefined;
  readonly ticketSecret: Uint8Array;
}

function workerProxy(proxy: ProxySettings, { admin, index, ticketSecret }: WorkerShare): ProxySettings {
  return {
    ...proxy,
    tls: { ...proxy.tls, ticketSecret },
    listenBeside: false,
    writesLastKnownFile: index === 0,
    proxyAdmin: proxy.proxyAdmin && { ...proxy.proxyAdmin, target: proxy.proxyAdmin.target ?? admin },
  };
}

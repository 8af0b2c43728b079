import { randomBytes } from "node:crypto";
import type { AdminAddress, ProxySettings, Settings } from "../config/settings.ts";

/** As many bytes as the hash that ticket keys are derived with. */
const TICKET_SECRET_BYTES = 32;

/**
 * What each worker runs by: a data plane without the listeners beside the traffic. The store belongs to the primary,
 * which alone writes; one worker keeps the last known configuration. All of them, and those started in their place, take
 * each other's session tickets.
 */
export function workerSettings(settings: Settings, given: WorkersShare): (index: number) => Settings {
  const { proxy } = settings;
  const shared = {
    ...settings,
    admin: undefined,
    sampleFunction: undefined,
    workers: 1,
    isStoreReadOnly: settings.admin !== undefined,
  };
  return (index) => ({ ...shared, proxy: proxy && workerProxy(proxy, index, given) });
}

/** What the primary gives all workers, those after a reload too. */
export interface WorkersShare {
  readonly admin: AdminAddress | undefined;
  readonly ticketSecret: Uint8Array;
}

/** A secret to make ticket keys from. */
export function createTicketSecret(): Uint8Array {
  return randomBytes(TICKET_SECRET_BYTES);
}

function workerProxy(proxy: ProxySettings, index: number, { admin, ticketSecret }: WorkersShare): ProxySettings {
  return {
    ...proxy,
    tls: { ...proxy.tls, ticketSecret },
    listenBeside: false,
    writesLastKnownFile: index === 0,
    proxyAdmin: proxy.proxyAdmin && { ...proxy.proxyAdmin, target: proxy.proxyAdmin.target ?? admin },
  };
}

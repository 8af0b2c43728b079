import type { PluginMetrics } from "@fngate/plugin-kit";

/** How full a store is that forgets when it is full, as metrics tell it. */
export interface RoomGauges {
  /** Says how many bytes are taken now. */
  tell(usedBytes: number): void;
  /** Ends the series: the store is gone. */
  remove(): void;
}

/**
 * Metrics of a store that is bounded in bytes, under APISIX's names for nginx's shared dictionaries
 * (`apisix_shared_dict_capacity_bytes`, `apisix_shared_dict_free_space_bytes`), which its public dashboard asks for.
 * @param name of the dictionary that APISIX has in the store's place
 */
export function gaugeRoom(metrics: PluginMetrics, name: string, capacityBytes: number): RoomGauges {
  const labels = ["name"] as const;
  const capacity = metrics.gauge("apisix_shared_dict_capacity_bytes", {
    help: "The capacity of each store that forgets when it is full",
    labels,
  });
  const free = metrics.gauge("apisix_shared_dict_free_space_bytes", {
    help: "The free space of each store that forgets when it is full",
    labels,
  });
  capacity.set({ name }, capacityBytes);
  free.set({ name }, capacityBytes);
  return {
    tell: (usedBytes) => free.set({ name }, Math.max(0, capacityBytes - usedBytes)),
    remove: () => {
      capacity.remove({ name });
      free.remove({ name });
    },
  };
}

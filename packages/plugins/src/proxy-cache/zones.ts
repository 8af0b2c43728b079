import { GatewayError } from "@fngate/kernel";
import { z } from "zod";
import type { ProxyCacheConfig } from "./schema.ts";

const zone = z.looseObject({
  name: z.string(),
  memory_size: z.string().default("50m"),
  disk_size: z.string().optional(),
  disk_path: z.string().optional(),
});

/** `apisix.proxy_cache` of `config.yaml`; the defaults are APISIX's. */
const settings = z.looseObject({
  cache_ttl: z.string().default("10s"),
  zones: z.array(zone).default([
    { name: "disk_cache_one", memory_size: "50m", disk_size: "1G", disk_path: "/tmp/disk_cache_one" },
    { name: "memory_cache", memory_size: "50m" },
  ]),
});

/** Where a configuration keeps its answers. */
export interface Zone {
  readonly name: string;
  readonly maxBytes: number;
  /** Absent: in memory. */
  readonly directory: string | undefined;
  /** For answers on disk that do not say how long they may be kept. */
  readonly ttlSeconds: number;
}

/**
 * The zone that a configuration names.
 * @throws GatewayError `PLUGIN_INVALID` when there is none of that name, or it does not fit the strategy
 */
export function findZone(config: ProxyCacheConfig, attributes: Readonly<Record<string, unknown>>): Zone {
  const { cache_strategy: strategy, cache_zone: name } = config;
  const { cache_ttl: ttl, zones } = settings.parse(attributes);
  const found = zones.find((candidate) => candidate.name === name);
  if (found === undefined) throw new GatewayError("PLUGIN_INVALID", `cache_zone ${name} not found`);
  const isOnDisk = found.disk_path !== undefined;
  if (isOnDisk !== (strategy === "disk")) {
    throw new GatewayError("PLUGIN_INVALID", `invalid or empty cache_zone for cache_strategy: ${strategy}`);
  }
  const size = isOnDisk ? (found.disk_size ?? "1G") : found.memory_size;
  return { name, maxBytes: parseBytes(size), directory: found.disk_path, ttlSeconds: parseSeconds(ttl) };
}

const SIZE_UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const TIME_UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3_600, d: 86_400 };

function parseBytes(text: string): number {
  return parseAmount(text, SIZE_UNITS);
}

function parseSeconds(text: string): number {
  return parseAmount(text, TIME_UNITS);
}

/** A number with a unit, as nginx writes sizes and times. */
function parseAmount(text: string, units: Readonly<Record<string, number>>): number {
  const match = /^(\d+)([a-z]?)$/i.exec(text.trim());
  const unit = units[match?.[2]?.toLowerCase() ?? "-"];
  if (match === null || unit === undefined) {
    throw new GatewayError("PLUGIN_INVALID", `not a size or time of the proxy cache: "${text}"`);
  }
  return Number(match[1]) * unit;
}

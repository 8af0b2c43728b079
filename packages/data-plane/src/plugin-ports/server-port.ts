import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { ServerPort } from "@fngate/plugin-kit";
import type { DataPlaneOptions } from "../options.ts";

/** What plugins may know about the data plane. */
export function createServerPort({ clock, identity, serverHeader }: DataPlaneOptions): ServerPort {
  return {
    id: identity?.id ?? randomUUID(),
    hostname: hostname(),
    version: identity?.version ?? serverHeader.split("/")[1] ?? "",
    startedAtMs: clock.now(),
  };
}

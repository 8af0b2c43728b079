import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { keptText } from "./kept-text.ts";
import type { Settings } from "./settings.ts";

/**
 * What this gateway is called: `apisix.id`, else an identifier that the first start makes and keeps in
 * `<dataDir>/apisix.uid`. Processes that start together agree on it.
 */
export async function resolveInstanceId({
  dataDir,
  instanceId,
}: Pick<Settings, "dataDir" | "instanceId">): Promise<string | number> {
  return instanceId ?? keptText(join(dataDir, "apisix.uid"), randomUUID);
}

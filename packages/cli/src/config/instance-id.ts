import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "./settings.ts";

/**
 * What this gateway is called: `apisix.id`, else an identifier that the first start makes and keeps in
 * `<dataDir>/apisix.uid`. Processes that start together agree on it.
 */
export async function resolveInstanceId({
  dataDir,
  instanceId,
}: Pick<Settings, "dataDir" | "instanceId">): Promise<string | number> {
  if (instanceId !== undefined) return instanceId;
  const file = join(dataDir, "apisix.uid");
  await mkdir(dataDir, { recursive: true });
  try {
    const id = randomUUID();
    await writeFile(file, `${id}\n`, { flag: "wx" });
    return id;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return (await readFile(file, "utf8")).trim();
}

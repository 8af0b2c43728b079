import { randomUUID } from "node:crypto";
import { constants, copyFile, link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "@fngate/kernel";
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
  const kept = await readId(file);
  if (kept !== undefined) return kept;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await makeId(file);
  return (await readFile(file, "utf8")).trim();
}

async function readId(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Gives the name to a file that is complete, so that nobody reads half of it; the first of several wins. */
async function makeId(file: string): Promise<void> {
  const id = randomUUID();
  const complete = `${file}.${id}`;
  await writeFile(complete, `${id}\n`, { flag: "wx" });
  try {
    // Some file systems have no second names for a file; a copy is the next best.
    await link(complete, file).catch((error: unknown) => {
      if (hasCode(error, "EEXIST")) return;
      return copyFile(complete, file, constants.COPYFILE_EXCL);
    });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await unlink(complete);
  }
}

import { randomUUID } from "node:crypto";
import { constants, copyFile, link, mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { hasCode } from "@fngate/kernel";

/**
 * The trimmed text that a file keeps; where there is none yet (no file, or an empty one), it is made and kept, readable by
 * the owner only. Processes that start together agree on it: nobody reads half a file, and the first of several wins.
 * Raises what the file system does.
 */
export async function keptText(file: string, make: () => string): Promise<string> {
  const kept = await readText(file);
  if (kept !== undefined && kept !== "") return kept;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const complete = `${file}.${randomUUID()}`;
  await writeFile(complete, `${make()}\n`, { flag: "wx", mode: 0o600 });
  try {
    await (kept === "" ? rename(complete, file) : giveName(complete, file));
  } finally {
    await unlink(complete).catch(ignoreMissing);
  }
  return (await readFile(file, "utf8")).trim();
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    return ignoreMissing(error);
  }
}

/** Gives a complete file its name, unless that is taken. */
async function giveName(complete: string, file: string): Promise<void> {
  try {
    // Some file systems have no second names for a file; a copy is the next best.
    await link(complete, file).catch((error: unknown) => {
      if (hasCode(error, "EEXIST")) return;
      return copyFile(complete, file, constants.COPYFILE_EXCL);
    });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, "ENOENT")) throw error;
}

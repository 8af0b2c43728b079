import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { GatewayError, messageOf } from "@fngate/kernel";
import type { CommandIo } from "../command-io.ts";
import type { Flags } from "../config/load.ts";
import { type LocatedItem, readDocument } from "../document/read-document.ts";

/**
 * The objects of the file that the flags name; its end mark may be missing, since nobody is still writing it. Raises
 * `CONFIG_UNREADABLE`, also for what would only be a warning to a data plane: nothing of a file is imported in part.
 */
export async function readWantedFile(flags: Flags, io: CommandIo): Promise<readonly LocatedItem[]> {
  const title = flags["file"];
  if (typeof title !== "string") throw new GatewayError("CONFIG_INVALID", "--file FILE is needed");
  let text: string;
  try {
    text = await readFile(resolve(io.workingDirectory, title), "utf8");
  } catch (cause) {
    throw new GatewayError("CONFIG_UNREADABLE", `cannot read ${title}: ${messageOf(cause)}`, { cause });
  }
  const format = title.endsWith(".json") ? "json" : "yaml";
  const { items, isWhole, warnings } = readDocument({ text, title, format, environment: io.environment });
  if (!isWhole) {
    throw new GatewayError("CONFIG_UNREADABLE", `${title} cannot be read wholly`, { details: { problems: warnings } });
  }
  for (const warning of warnings) io.stderr.write(`fngate: warning: ${warning}\n`);
  return items;
}

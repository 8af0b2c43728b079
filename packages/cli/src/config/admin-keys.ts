import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "@fngate/kernel";
import { keptText } from "./kept-text.ts";
import type { ConfiguredKey } from "./settings.ts";

/** What {@link resolveAdminKeys} works with. */
export interface AdminKeyOptions {
  readonly keys: readonly ConfiguredKey[];
  readonly dataDir: string;
  readonly logger: Logger;
}

/** The keys that hold, and the file of the generated one when there is one. */
export interface ResolvedAdminKeys {
  readonly keys: readonly ConfiguredKey[];
  readonly generatedKeyFile: string | undefined;
}

/**
 * Fills in empty keys of role `admin` with one that is generated once and kept in `<dataDir>/admin.key`, readable by
 * the owner only. Empty keys of other roles are dropped: they would never match.
 *
 * APISIX writes the generated key back into config.yaml; we leave the operator's file alone.
 */
export async function resolveAdminKeys({ keys, dataDir, logger }: AdminKeyOptions): Promise<ResolvedAdminKeys> {
  const complete = keys.filter(({ key }) => key !== "");
  for (const { name, role } of keys) {
    if (role !== "admin" && !complete.some((entry) => entry.name === name && entry.role === role)) {
      logger.warn({ name, role }, "admin key is empty and never matches");
    }
  }
  const empty = keys.filter(({ key, role }) => key === "" && role === "admin");
  if (empty.length === 0) return { keys: complete, generatedKeyFile: undefined };
  const file = join(dataDir, "admin.key");
  const key = await keptText(file, () => randomBytes(24).toString("base64url"));
  logger.info({ file }, "admin key is in this file");
  return { keys: [...empty.map((entry) => ({ ...entry, key })), ...complete], generatedKeyFile: file };
}

// Generated from the folder names by `pnpm gen`; do not edit.
import type { PluginDefinition } from "@fngate/plugin-kit";
import { keyAuth } from "./key-auth/index.ts";
import { openfunction } from "./openfunction/index.ts";
import { requestId } from "./request-id/index.ts";

/** Every plugin of this package, by name. */
export const builtinPlugins: readonly PluginDefinition[] = [keyAuth, openfunction, requestId];

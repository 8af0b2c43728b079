// Generated from the folder names by `pnpm gen`; do not edit.
import type { PluginDefinition } from "@fngate/plugin-kit";
import { openfunction } from "./openfunction/index.ts";

/** Every plugin of this package, by name. */
export const builtinPlugins: readonly PluginDefinition[] = [openfunction];

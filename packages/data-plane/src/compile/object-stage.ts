import type { StoreEntry } from "@fngate/store";
import type { CompileDeps } from "./compile-deps.ts";
import type { Findings } from "./findings.ts";
import { Held } from "./held.ts";
import { compilePlugins } from "./plugins.ts";
import type { CompiledObject } from "./snapshot.ts";
import type { UpstreamHandle } from "./upstream-handle.ts";

/** What compiling one object works with. */
export interface ObjectStage {
  readonly deps: CompileDeps;
  readonly findings: Findings;
  /** The object as it is stored. */
  readonly entry: StoreEntry;
}

/** What an object is built from. */
export interface ObjectParts {
  readonly id: string;
  /** Stored plugins. */
  readonly plugins: Readonly<Record<string, unknown>> | undefined;
  /** The upstream that the object has of its own. */
  readonly upstream?: UpstreamHandle | number | undefined;
}

/**
 * Sets up an object's plugins and ties them and its upstream to one {@link Held}. When the plugins cannot be set up
 * the upstream is given back, and nothing is returned.
 */
export function buildObject<TObject extends CompiledObject>(
  parts: ObjectParts,
  stage: ObjectStage,
  build: (object: CompiledObject) => TObject,
): TObject | undefined {
  const upstream = typeof parts.upstream === "object" ? parts.upstream : undefined;
  const plugins = compilePlugins(parts.plugins, stage.deps, stage.findings);
  if (plugins === undefined) {
    upstream?.dispose();
    return undefined;
  }
  const held = new Held(plugins, upstream);
  return build({ id: parts.id, held, plugins, entry: stage.entry });
}

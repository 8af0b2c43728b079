import type { PluginCatalog, PluginDeps, RequestContext } from "@fngate/plugin-kit";
import type { RouterKind } from "@fngate/router";
import type { VariableLookup } from "@fngate/router/expr";
import type { Keyring } from "@fngate/schema";
import type { EnvironmentVariables } from "./resolve-references.ts";
import type { UpstreamCompiler } from "./upstreams.ts";

/** What compiling needs beside the stored objects. */
export interface CompileDeps {
  /** Key prefix in the store, without trailing slash. */
  readonly prefix: string;
  readonly routerKind: RouterKind;
  readonly catalog: PluginCatalog;
  readonly pluginDeps: PluginDeps;
  /** Decrypts encrypted fields; what it cannot decrypt is taken as it is. */
  readonly keyring: Keyring;
  /** What `$env://` in plugin configurations refers to. */
  readonly environment: EnvironmentVariables;
  readonly compileUpstream: UpstreamCompiler;
  /** Variables of a request, for `_meta.filter`. */
  readonly variablesOf: (context: RequestContext) => VariableLookup;
}

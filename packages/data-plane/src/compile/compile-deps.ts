import type { Clock } from "@fngate/kernel";
import type { PluginCatalog, PluginDeps } from "@fngate/plugin-kit";
import type { RouterKind } from "@fngate/router";
import type { Keyring } from "@fngate/schema";
import type { SecretSource } from "../secrets/secret-book.ts";
import type { EnvironmentVariables } from "./resolve-references.ts";
import type { UpstreamCompiler } from "./upstream-handle.ts";

/** What compiling needs beside the stored objects. */
export interface CompileDeps {
  /** Key prefix in the store, without trailing slash. */
  readonly prefix: string;
  readonly routerKind: RouterKind;
  readonly catalog: PluginCatalog;
  /** The ports of the plugin of that name. */
  readonly portsOf: (plugin: string) => PluginDeps;
  /** Decrypts encrypted fields; what it cannot decrypt is taken as it is. */
  readonly keyring: Keyring;
  /** What `$env://` in plugin configurations refers to. */
  readonly environment: EnvironmentVariables;
  /** What `$secret://` refers to; absent: nothing. */
  readonly secrets?: SecretSource;
  readonly compileUpstream: UpstreamCompiler;
  /** Tells what day it is. */
  readonly clock: Pick<Clock, "now">;
}

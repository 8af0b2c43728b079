import type { Usage } from "@fngate/kernel";
import type { PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { createBacklog } from "../shared/batch/backlog.ts";
import { DEFAULT_BOUNDS } from "../shared/batch/batch-fields.ts";
import { compileAnyOf } from "../shared/conditions.ts";
import { createRequestLog } from "../shared/log/request-log.ts";
import { LogFile } from "./log-file.ts";
import type { FileLoggerMetadata } from "./metadata.ts";
import type { FileLoggerConfig } from "./schema.ts";

type Deps = PluginDeps<unknown, FileLoggerMetadata>;

/** Appends an entry about each request, as a line of JSON. */
export function logToFile(config: FileLoggerConfig, deps: Deps): PluginInstance {
  const isMatch = compileAnyOf(config.match);
  const requestLog = createRequestLog(config, deps);
  const place = new LogPlace(config.path, deps);
  return {
    ...requestLog.phases,
    log(context) {
      if (isMatch(context.variables)) place.file()?.write(() => JSON.stringify(requestLog.entryOf(context)));
      return undefined;
    },
    dispose: () => place.release(),
  };
}

/** The file of a configuration, which the metadata may name. */
class LogPlace {
  readonly #ownPath: string | undefined;
  readonly #deps: Deps;
  #path: string | undefined;
  #usage: Usage<LogFile> | undefined;
  #isReported = false;

  constructor(path: string | undefined, deps: Deps) {
    this.#ownPath = path;
    this.#deps = deps;
  }

  /** As things stand; nothing when no path is known, which is reported once. */
  file(): LogFile | undefined {
    const path = this.#ownPath ?? this.#deps.metadata.current?.path;
    if (path !== this.#path) {
      this.release();
      this.#path = path;
      this.#usage = path === undefined ? undefined : acquireFile(path, this.#deps);
    }
    if (path === undefined && !this.#isReported) {
      this.#isReported = true;
      const { logger, owner } = this.#deps;
      logger.error({ owner }, 'property "path" is not set in either the plugin conf or the metadata');
    }
    return this.#usage?.value;
  }

  release(): void {
    this.#usage?.release();
    this.#usage = undefined;
    this.#path = undefined;
  }
}

/** The writer of a path is the same for all configurations. */
function acquireFile(path: string, deps: Deps): Usage<LogFile> {
  return deps.shared.acquire(
    `file ${path}`,
    () => {
      const backlog = createBacklog("file-logger", deps, () => DEFAULT_BOUNDS);
      return new LogFile({ path, clock: deps.clock, server: deps.server, backlog });
    },
    (file) => file.end(),
  );
}

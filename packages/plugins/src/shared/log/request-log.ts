import type { LogContext, PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { defaultEntry } from "./default-entry.ts";
import type { LogConfig, LogMetadata } from "./log-fields.ts";
import { compileLogFormat, type LogEntry, type LogFormat } from "./log-format.ts";
import { BodyLog } from "./logged-bodies.ts";

/** Makes the entries of one configuration of a logger. */
export interface RequestLog {
  /** Phases that keep what an entry needs; `headerFilter` only where the configuration asks for it. */
  readonly phases: Pick<PluginInstance, "access" | "headerFilter">;
  /** The entry about a request, in its log phase. */
  entryOf(context: LogContext): LogEntry;
}

/** Compiles what is logged; the metadata's part again only when there is other metadata. */
export function createRequestLog(config: LogConfig, deps: PluginDeps<unknown, LogMetadata>): RequestLog {
  return new ConfiguredLog(config, deps);
}

interface Formats {
  readonly from: LogMetadata | undefined;
  /** Replaces the default entry. */
  readonly whole: LogFormat | undefined;
  /** Comes on top of it. */
  readonly extra: LogFormat | undefined;
}

class ConfiguredLog implements RequestLog {
  readonly phases: RequestLog["phases"];
  readonly #config: LogConfig;
  readonly #deps: PluginDeps<unknown, LogMetadata>;
  readonly #bodies: BodyLog;
  #formats: Formats;

  constructor(config: LogConfig, deps: PluginDeps<unknown, LogMetadata>) {
    this.#config = config;
    this.#deps = deps;
    this.#bodies = new BodyLog(config);
    this.#formats = this.#compile(deps.metadata.current);
    this.phases = {
      access: (context) => this.#bodies.keepRequest(context, this.#needsRequestBody()),
      ...(config.include_resp_body && {
        headerFilter: (context) => {
          this.#bodies.keepResponse(context);
          return undefined;
        },
      }),
    };
  }

  entryOf(context: LogContext): LogEntry {
    const { extra, whole } = this.#current();
    if (whole !== undefined) return withIds(whole.render(context, this.#bodies), context);
    const entry = defaultEntry(context, this.#bodies.bodiesOf(context), this.#deps.server);
    // A default member is never replaced.
    for (const [name, value] of Object.entries(extra?.render(context, this.#bodies) ?? {})) entry[name] ??= value;
    return entry;
  }

  #needsRequestBody(): boolean {
    const { extra, whole } = this.#current();
    return (whole ?? extra)?.needsRequestBody === true;
  }

  #current(): Formats {
    const metadata = this.#deps.metadata.current;
    if (metadata !== this.#formats.from) this.#formats = this.#compile(metadata);
    return this.#formats;
  }

  #compile(from: LogMetadata | undefined): Formats {
    const general = isEmpty(from?.log_format) ? undefined : from?.log_format;
    const whole = this.#config.log_format ?? general;
    const extra = this.#config.log_format_extra ?? from?.log_format_extra;
    return { from, whole: whole && compileLogFormat(whole), extra: extra && compileLogFormat(extra) };
  }
}

/** A format's entry always says which route and service it is about. */
function withIds(entry: LogEntry, { route }: LogContext): LogEntry {
  return route === undefined ? entry : { ...entry, service_id: route.serviceId, route_id: route.id };
}

function isEmpty(format: object | undefined): boolean {
  return format === undefined || Object.keys(format).length === 0;
}

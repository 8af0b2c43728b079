import type { Usage } from "@fngate/kernel";
import type { PluginDeps } from "@fngate/plugin-kit";
import type { Tracer } from "@opentelemetry/api";
import { compileSampler } from "./compile-sampler.ts";
import { type OpentelemetryMetadata, opentelemetryMetadataSchema } from "./metadata.ts";
import type { OpentelemetryConfig } from "./schema.ts";
import type { OpenTelemetry } from "./sdk.ts";
import { acquireExporter, type SpanExporter } from "./span-exporter.ts";
import { TraceIds } from "./trace-ids.ts";

/** Ports of the plugin. */
export type Deps = PluginDeps<unknown, OpentelemetryMetadata>;

/** What requests are traced with while the settings stay as they are. */
export interface ActiveTracer {
  readonly tracer: Tracer;
  readonly ids: TraceIds;
  readonly settings: OpentelemetryMetadata;
}

/** The tracer of one configuration, made again when the metadata changes. */
export class TracerSource {
  readonly #config: OpentelemetryConfig;
  readonly #deps: Deps;
  readonly #libraries: OpenTelemetry;
  /** Stand in for absent metadata. */
  readonly #attributes: OpentelemetryMetadata | undefined;
  #settings: OpentelemetryMetadata | undefined = undefined;
  #active: ActiveTracer | undefined = undefined;
  #exporter: Usage<SpanExporter> | undefined = undefined;

  constructor(config: OpentelemetryConfig, deps: Deps, libraries: OpenTelemetry) {
    this.#config = config;
    this.#deps = deps;
    this.#libraries = libraries;
    this.#attributes = settingsIn(deps.attributes);
  }

  /** The tracer as of now; nothing while there are no settings. */
  get current(): ActiveTracer | undefined {
    const settings = this.#deps.metadata.current ?? this.#attributes;
    if (settings !== this.#settings) this.#replace(settings);
    return this.#active;
  }

  /** Gives up the exporter, which sends what it has. */
  close(): void {
    this.#exporter?.release();
    this.#exporter = undefined;
    this.#settings = undefined;
    this.#active = undefined;
  }

  #replace(settings: OpentelemetryMetadata | undefined): void {
    this.close();
    if (settings === undefined) return;
    const { resources, sdk } = this.#libraries;
    const exporter = acquireExporter(settings, this.#deps, this.#libraries);
    const ids = new TraceIds(settings.trace_id_source, new sdk.RandomIdGenerator());
    const provider = new sdk.TracerProvider({
      resource: resources.resourceFromAttributes({
        hostname: this.#deps.server.hostname,
        "service.name": "APISIX",
        ...settings.resource,
      }),
      sampler: compileSampler(this.#config.sampler, this.#libraries),
      idGenerator: ids,
      spanProcessors: [exporter.value],
    });
    this.#exporter = exporter;
    this.#settings = settings;
    this.#active = { tracer: provider.getTracer("fngate"), ids, settings };
  }
}

/** The settings in `plugin_attr`; nothing when there are none or they are unsound. */
function settingsIn(attributes: Deps["attributes"]): OpentelemetryMetadata | undefined {
  return Object.keys(attributes).length === 0 ? undefined : opentelemetryMetadataSchema.safeParse(attributes).data;
}

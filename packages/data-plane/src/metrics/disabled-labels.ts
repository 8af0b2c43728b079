import type { Snapshot } from "../compile/snapshot.ts";
import type { RequestMetric } from "./request-metrics.ts";

/** Labels that are to be empty, by metric. */
export type DisabledLabels = Readonly<Partial<Record<RequestMetric, readonly string[]>>>;

/** The labels that the metadata of the `prometheus` plugin switches off; its schema has checked them. */
export function disabledLabelsOf({ tables }: Snapshot): DisabledLabels {
  const metadata = tables.plugin_metadata.get("prometheus")?.value as
    | { readonly disabled_labels?: DisabledLabels }
    | undefined;
  return metadata?.disabled_labels ?? {};
}

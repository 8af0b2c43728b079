import { z } from "zod";

/** Labels of every metric about requests that can be switched off. */
const COMMON = ["consumer", "node", "request_type", "request_llm_model", "llm_model"] as const;

/** Labels of the metrics that name route and service by one label each. */
const BY_ROUTE = ["route", "service", ...COMMON] as const;

/** Labels of metrics about language models. */
const BY_ID = ["route_id", "service_id", ...COMMON] as const;

/** Labels of the metrics about caches of answers of language models. */
const BY_BOTH = ["route", "route_id", "service", "service_id", ...COMMON] as const;

const labels = <TLabel extends string>(names: readonly TLabel[]) => z.array(z.enum(names)).optional();

/**
 * The plugin's metadata (APISIX: prometheus). What a metric is told apart by at all (`code`, `type`, `layer`) cannot be
 * switched off. Metrics about language models are named for APISIX's sake: the gateway has none of them.
 */
export const prometheusMetadataSchema = z.looseObject({
  disabled_labels: z
    .strictObject({
      http_status: labels([...BY_ROUTE, "matched_uri", "matched_host", "response_source"]),
      http_latency: labels(BY_ROUTE),
      bandwidth: labels(BY_ROUTE),
      llm_latency: labels(BY_ID),
      llm_prompt_tokens: labels(BY_ID),
      llm_completion_tokens: labels(BY_ID),
      llm_active_connections: labels([...BY_BOTH, "matched_uri", "matched_host"]),
      llm_prompt_tokens_dist: labels(BY_ID),
      llm_completion_tokens_dist: labels(BY_ID),
      ai_cache_hits_total: labels(BY_BOTH),
      ai_cache_misses_total: labels(BY_BOTH),
      ai_cache_bypasses_total: labels(BY_BOTH),
      ai_cache_embedding_latency: labels(BY_BOTH),
    })
    .optional()
    .describe("Labels that are to be empty, by metric."),
});

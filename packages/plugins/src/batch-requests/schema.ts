import { z } from "zod";

/** Configuration of the plugin: it has none; being enabled is what counts (APISIX: batch-requests). */
export const batchRequestsSchema = z.looseObject({});

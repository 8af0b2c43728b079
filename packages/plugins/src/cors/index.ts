import { definePlugin } from "@fngate/plugin-kit";
import { corsMetadataSchema } from "./metadata.ts";
import { corsSchema } from "./schema.ts";
import { shareWithOrigins } from "./share.ts";

/** Lets scripts of other origins read answers (APISIX: cors; the Fetch standard's CORS protocol). */
export const cors = definePlugin({
  name: "cors",
  version: 0.1,
  priority: 4000,
  schema: corsSchema,
  metadataSchema: corsMetadataSchema,
  setup: shareWithOrigins,
});

import { definePlugin } from "@fngate/plugin-kit";
import { identifierMaker } from "./identifier.ts";
import { requestIdSchema } from "./schema.ts";

/** Gives every request an identifier (APISIX: request-id). */
export const requestId = definePlugin({
  name: "request-id",
  version: 0.1,
  priority: 12015,
  schema: requestIdSchema,
  setup(config, { clock }) {
    const make = identifierMaker(config, () => clock.now());
    const name = config.header_name;
    const field = name.toLowerCase();
    return {
      rewrite({ request, variables }) {
        const sent = request.headers.get(field);
        const id = sent === undefined || sent === "" ? make() : sent;
        if (id !== sent) request.headers.set(name, id);
        variables.set("apisix_request_id", id);
      },
      headerFilter({ request, response }) {
        if (!config.include_in_response || response.headers.has(field)) return;
        const id = request.headers.get(field);
        if (id !== undefined) response.headers.set(name, id);
      },
    };
  },
});

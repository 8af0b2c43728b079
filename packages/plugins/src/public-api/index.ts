import { definePlugin, type PluginDeps, type PluginInstance, type Reply } from "@fngate/plugin-kit";
import { type PublicApiConfig, publicApiSchema } from "./schema.ts";

/** Publishes an endpoint that another plugin brings, behind the route's other plugins (APISIX: public-api). */
export const publicApi = definePlugin({
  name: "public-api",
  version: 0.1,
  priority: 501,
  schema: publicApiSchema,
  setup: publish,
});

const NO_ENDPOINT: Reply = { kind: "reply", status: 404 };

function publish({ uri }: PublicApiConfig, { plugins }: PluginDeps): PluginInstance {
  return {
    access(context) {
      const { method, path } = context.request;
      // Looked up each time: plugins may have been loaded again.
      return plugins.findApi(method, uri ?? path)?.handle(context) ?? NO_ENDPOINT;
    },
  };
}

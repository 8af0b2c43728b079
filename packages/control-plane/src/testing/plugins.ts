import { definePlugin } from "@fngate/plugin-kit";
import { z } from "zod";

/** Names one of APISIX's authentication plugins, with as much of it as the Admin API looks at. */
export const keyAuth = definePlugin({
  name: "key-auth",
  version: 0.1,
  priority: 2500,
  type: "auth",
  schema: z.looseObject({ header: z.string().default("apikey") }),
  consumerSchema: z.looseObject({ key: z.string() }),
  consumerSecretFields: ["key"],
  identityField: "key",
  setup: () => ({}),
});

/** Its identity is not a secret. */
export const basicAuth = definePlugin({
  name: "basic-auth",
  version: 0.1,
  priority: 2520,
  type: "auth",
  schema: z.looseObject({}),
  consumerSchema: z.looseObject({ username: z.string(), password: z.string() }),
  consumerSecretFields: ["password"],
  identityField: "username",
  setup: () => ({}),
});

/** Names upstreams inside its configuration. */
export const trafficSplit = definePlugin({
  name: "traffic-split",
  version: 0.1,
  priority: 966,
  schema: z.looseObject({}),
  references: [{ path: "rules.weighted_upstreams.upstream_id", kind: "upstream" }],
  setup: () => ({}),
});

/** Names a proto inside its configuration. */
export const grpcTranscode = definePlugin({
  name: "grpc-transcode",
  version: 0.1,
  priority: 506,
  schema: z.looseObject({}),
  references: [{ path: "proto_id", kind: "proto" }],
  setup: () => ({}),
});

/** Has metadata with a schema and a secret, and works on streams. */
export const clickLogger = definePlugin({
  name: "click-logger",
  version: 0.1,
  priority: 5,
  scope: "global",
  schema: z.looseObject({}),
  streamSchema: z.strictObject({ size: z.int().optional() }),
  metadataSchema: z.looseObject({ ikey: z.string(), password: z.string().optional() }),
  metadataSecretFields: ["password"],
  setup: () => ({}),
});

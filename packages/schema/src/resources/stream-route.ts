import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { defineResource } from "../definition.ts";
import { closedObject, listOf, openObject } from "../fields/container.ts";
import { integer } from "../fields/integer.ts";
import { listDependency } from "../fields/rules.ts";
import { anyObject, host, id, ip, metadata, plugins } from "../fields/shared.ts";
import { text } from "../fields/text.ts";
import { upstream } from "../fields/upstream.ts";
import { isSecretReference } from "../secret-reference.ts";

const logger = closedObject(
  { name: text().optional(), filter: listOf(z.unknown()).optional(), conf: anyObject.optional() },
  listDependency("name", "conf"),
);

const protocol = openObject({
  name: text(),
  superior_id: id.optional(),
  conf: anyObject.optional(),
  logger: listOf(logger).optional(),
});

/**
 * What matches connections of the stream proxy. Its upstream is checked by schema alone. No protocol above TCP is known
 * here, as in an APISIX without `xrpc.protocols`. APISIX: stream route.
 */
export const streamRoute = defineResource({
  kind: "stream_route",
  plural: "stream_routes",
  label: "stream route",
  schema: closedObject({
    ...metadata,
    remote_addr: ip.optional(),
    server_addr: ip.optional(),
    server_port: integer({ min: 1, max: 65_535 }).optional(),
    sni: host.optional(),
    upstream: upstream.optional(),
    upstream_id: id.optional(),
    service_id: id.optional(),
    plugins: plugins.optional(),
    protocol: protocol.optional(),
  }),
  methods: ["GET", "POST", "PUT", "DELETE"],
  hasTimestamps: true,
  plugins: "stream",
  references: [
    { path: ["upstream_id"], kind: "upstream", isWeak: true },
    { path: ["service_id"], kind: "service" },
    {
      path: ["protocol", "superior_id"],
      kind: "stream_route",
      missing: (missingId) => `failed to fetch stream routes[${missingId}], response code: 404`,
    },
  ],
  secretFields: ["upstream.tls.client_key"],
  subsystem: "stream",
  inUseMessage: ({ id: userId }) =>
    `can not delete this stream route directly, stream route [${userId}] is still using it as superior_id`,
  check: ({ id: ownId, protocol: own }, urlId) => {
    const superior = own?.superior_id;
    const isItself = superior !== undefined && String(superior) === String(urlId ?? ownId);
    return isItself ? "stream route can not set itself as superior_id" : undefined;
  },
  lateCheck: (value) =>
    addressProblem("remote_addr", value.remote_addr) ??
    addressProblem("server_addr", value.server_addr) ??
    (value.protocol === undefined ? undefined : `unknown protocol [${value.protocol.name}]`),
});

/** The schema's pattern for IPv6 blocks is generous (`:/8`); stream routes alone get a second look. */
function addressProblem(name: string, value: string | undefined): string | undefined {
  if (value === undefined || isSecretReference(value)) return undefined;
  const [address = "", bits] = value.split("/");
  const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return longest >= Number(bits ?? 0) ? undefined : `invalid ${name}: ${value}`;
}

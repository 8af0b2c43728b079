import type { PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { type AddressTest, compileAddresses } from "../shared/addresses.ts";
import { parseClient } from "./parse-client.ts";
import type { RealIpConfig } from "./schema.ts";

/** Replaces the client's address by the one that a trusted peer names. */
export function findClient(config: RealIpConfig, { logger }: PluginDeps): PluginInstance {
  const { recursive, source, trusted_addresses: trusted } = config;
  const isTrusted = trusted === undefined ? undefined : compileAddresses(trusted);
  const skipsTrusted = recursive ? isTrusted : undefined;
  const isChain = source === "http_x_forwarded_for";
  return {
    rewrite(context) {
      const { request, variables } = context;
      if (isTrusted !== undefined && !isTrusted(request.remoteAddress)) return;
      const named = isChain ? lastOfChain(context, skipsTrusted) : variables.get(source);
      if (named === undefined || named === "") return;
      const client = parseClient(String(named));
      if (client === undefined) {
        logger.warn({ source }, "the client's address cannot be read");
        return;
      }
      request.remoteAddress = client.address;
      if (client.port !== undefined) variables.set("remote_port", client.port);
    },
  };
}

/** The last address of the last field, or the last one that is not trusted; the first one when all are. */
function lastOfChain({ request }: RequestContext, isTrusted: AddressTest | undefined): string | undefined {
  const field = request.headers.getAll("x-forwarded-for").at(-1);
  if (field === undefined) return undefined;
  const addresses = field.split(",").map((address) => address.trim());
  if (isTrusted === undefined) return addresses.at(-1);
  return addresses.findLast((address) => !isTrusted(address)) ?? addresses[0];
}

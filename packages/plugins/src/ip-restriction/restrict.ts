import type { PluginInstance, Reply } from "@fngate/plugin-kit";
import { compileAddresses } from "../shared/addresses.ts";
import type { IpRestrictionConfig } from "./schema.ts";

/** Lets the client's address through or refuses it, with an answer that is made once. */
export function restrictAddresses(config: IpRestrictionConfig): PluginInstance {
  const { blacklist, message, response_code: status, whitelist } = config;
  const isListed = compileAddresses(whitelist ?? blacklist ?? []);
  const isListedAllowed = whitelist !== undefined;
  const refusal: Reply = { kind: "reply", status, body: { message } };
  return { access: ({ request }) => (isListed(request.remoteAddress) === isListedAllowed ? undefined : refusal) };
}

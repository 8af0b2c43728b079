import type { PluginInstance, Reply } from "@fngate/plugin-kit";
import type { RefererRestrictionConfig } from "./schema.ts";

/** Scheme, host and what may follow it; port, path, query and fragment do not matter here. */
const REFERER = /^https?:\/\/([^:/?#]+)/i;

/** Looks at the host of the page that a request came from. */
export function restrictReferers(config: RefererRestrictionConfig): PluginInstance {
  const { blacklist, bypass_missing: isMissingAllowed, message, whitelist } = config;
  const isListed = compileHosts(whitelist ?? blacklist ?? []);
  const isListedAllowed = whitelist !== undefined;
  const refusal: Reply = { kind: "reply", status: 403, body: { message } };
  return {
    access({ request }) {
      const host = REFERER.exec(request.headers.getAll("referer").join(", "))?.[1];
      const isAllowed = host === undefined ? isMissingAllowed : isListed(host) === isListedAllowed;
      return isAllowed ? undefined : refusal;
    },
  };
}

function compileHosts(entries: readonly string[]): (host: string) => boolean {
  const hosts = new Set(entries.filter((entry) => !entry.startsWith("*")));
  const endings = entries.filter((entry) => entry.startsWith("*")).map((entry) => entry.slice(1));
  return (host) => hosts.has(host) || endings.some((ending) => host.endsWith(ending));
}

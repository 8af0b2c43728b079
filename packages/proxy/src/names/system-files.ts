import { readFileSync } from "node:fs";
import { isIP } from "node:net";

/** What of `resolv.conf` matters here (resolv.conf(5)). */
export interface ResolvConf {
  /** As for `dns.setServers`: IPv6 in brackets when there is a port. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  /** Names with fewer dots are tried with the search domains first. */
  readonly ndots: number;
}

/** Addresses by lower-case name. */
export type HostsFile = ReadonlyMap<string, readonly string[]>;

/** Reads a `resolv.conf`; one that cannot be read names nothing. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: readonly string[] = [];
  let ndots = 1;
  for (const [keyword, ...values] of wordsOf(text)) {
    const [first = ""] = values;
    if (keyword === "nameserver" && isIP(first.split("%")[0] ?? "") !== 0) servers.push(first);
    else if (keyword === "search" || keyword === "domain") search = values;
    else if (keyword === "options") ndots = ndotsIn(values) ?? ndots;
  }
  return { servers, search, ndots };
}

function ndotsIn(options: readonly string[]): number | undefined {
  const value = options.find((option) => option.startsWith("ndots:"))?.slice("ndots:".length);
  // The resolver of the C library takes no more than 15 either.
  return value === undefined ? undefined : Math.min(Number.parseInt(value, 10) || 0, 15);
}

/** Reads a hosts file; of a name's addresses those of IPv4 come first. */
export function parseHosts(text: string): HostsFile {
  const hosts = new Map<string, string[]>();
  for (const [address = "", ...names] of wordsOf(text)) {
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const known = hosts.get(name.toLowerCase());
      if (known === undefined) hosts.set(name.toLowerCase(), [address]);
      else known.push(address);
    }
  }
  return new Map([...hosts].map(([name, addresses]) => [name, ofOneFamily(addresses)]));
}

/** Those of IPv4, or all when there are none. */
function ofOneFamily(addresses: readonly string[]): readonly string[] {
  const ipv4 = addresses.filter((address) => isIP(address) === 4);
  return ipv4.length > 0 ? ipv4 : addresses;
}

function wordsOf(text: string): string[][] {
  const lines = text.split("\n").map((line) => line.replace(/[#;].*/, "").trim());
  return lines.filter((line) => line !== "").map((line) => line.split(/\s+/));
}

/** A file's text; empty when it cannot be read, as a machine may have none. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

import type { PluginUpstream, UpstreamRequest } from "@fngate/plugin-kit";
import type { UpstreamHandle } from "../compile/upstream-handle.ts";
import { InlineUpstream } from "../compile/upstreams.ts";
import type { ExchangeContext } from "./exchange-context.ts";

/** What plugins changed about the request to the upstream. */
export class UpstreamOverrides implements UpstreamRequest {
  path: string | undefined;
  query: string | undefined;
  host: string | undefined;
  isDisabled = false;
  isBodyStreamed = false;
  /** The upstream in place of the route's; a status when it cannot be called. */
  chosen: UpstreamHandle | number | undefined;
  /** Whether that one is stored in the plugin's configuration. */
  isInline = false;
  readonly #context: ExchangeContext;

  constructor(context: ExchangeContext) {
    this.#context = context;
    this.path = undefined;
    this.query = undefined;
    this.host = undefined;
    this.chosen = undefined;
  }

  use(upstream: string | PluginUpstream | undefined): boolean {
    if (typeof upstream === "string") return this.#useNamed(upstream);
    if (upstream !== undefined && !(upstream instanceof InlineUpstream)) {
      throw new TypeError("an upstream that this gateway did not compile cannot be used");
    }
    this.chosen = upstream?.handle;
    this.isInline = upstream !== undefined;
    return true;
  }

  #useNamed(id: string): boolean {
    const named = this.#context.snapshot.tables.upstream.get(id);
    if (named === undefined) return false;
    this.#context.hold(named.held);
    this.chosen = named.upstream;
    this.isInline = false;
    return true;
  }
}

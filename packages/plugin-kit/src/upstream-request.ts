/** An upstream that a plugin's configuration carries inline; made by {@link UpstreamCompiler}. */
export interface PluginUpstream {
  /** Gives up its connections; requests in flight end undisturbed. Call it in `dispose`. */
  release(): void;
}

/** Port that makes an inline upstream callable. */
export interface UpstreamCompiler {
  /**
   * @param config an upstream object as the Admin API takes it
   * @throws GatewayError `UPSTREAM_INVALID` when it cannot be called
   */
  compile(config: unknown): PluginUpstream;
}

/**
 * What the request to the upstream, or to a function, has different from the client's. Method, query and fields are
 * changed in the request itself, where later plugins see them; the path that the client asked for stays what it was.
 */
export interface UpstreamRequest {
  /** Path to ask for, percent-encoded, beginning with a slash; absent: the client's as it came. */
  path: string | undefined;
  /** Query to send, without `?`; absent: that of the request. */
  query: string | undefined;
  /** `Host` to send; an upstream that sets its own (`pass_host` `node` or `rewrite`) is not overruled. */
  host: string | undefined;
  /**
   * Sends the request to another upstream than the route's: one of the configuration, by id, or an inline one.
   * `undefined` returns to the route's own.
   * @returns false, and nothing changes, when there is no upstream of that id
   */
  use(upstream: string | PluginUpstream | undefined): boolean;
  /**
   * True: an upstream gets the body as it comes in any case. Default false: a short one is read whole first where a failed
   * attempt may be followed by another, which could not be made without it.
   */
  isBodyStreamed: boolean;
  /** True: no upstream is chosen; a `beforeProxy` phase answers, or else the request ends with 503. */
  isDisabled: boolean;
}

/** One call of an HTTP service that the gateway itself makes: an authoriser, a log collector. */
export interface HttpCall {
  readonly method: string;
  /** `http` or `https`. */
  readonly url: string;
  /** Flat `[name, value, …]`; framing and `Host` are added. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  /** Longest time for the whole call, milliseconds. */
  readonly timeoutMs: number;
  /** Whether an `https` certificate is checked; default true. */
  readonly verifyTls?: boolean;
  /** Whether the connection is kept for later calls; default true. */
  readonly keepalive?: boolean;
  /** Largest answer taken, bytes; default 1 MiB. */
  readonly maxAnswerBytes?: number;
  readonly signal?: AbortSignal;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  /** Flat `[name, value, …]` as it came. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Port for such calls. Redirects are not followed. */
export interface HttpClient {
  /** Rejects with `HTTP_CALL_FAILED` when no whole answer came: unreachable, late, too large, given up. */
  call(call: HttpCall): Promise<HttpAnswer>;
}

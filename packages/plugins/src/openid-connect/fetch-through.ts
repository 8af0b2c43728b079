import type { HttpClient } from "@fngate/kernel";

/** What the calls of a provider are bounded by. */
export interface FetchBounds {
  readonly timeoutMs: number;
  readonly verifyTls: boolean;
  /** Flat `[name, value, …]`, sent with every call. */
  readonly headers?: readonly string[];
}

/** What the libraries hand to a `fetch`. */
interface FetchOptions {
  readonly method: string;
  readonly headers: ConstructorParameters<typeof Headers>[0];
  readonly body?: unknown;
}

/** Statuses of answers that cannot have a body. */
const BODILESS: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** What `openid-client` and `jose` take for a `fetch`. */
export type ProviderFetch = (url: string, options: FetchOptions) => Promise<Response>;

/** A `fetch` for the libraries whose calls are the gateway's own: its certificates, its bounds, no redirects. */
export function fetchThrough(
  http: HttpClient,
  { headers: added = [], timeoutMs, verifyTls }: FetchBounds,
): ProviderFetch {
  return async (url, { body, headers, method }) => {
    const fields = [...new Headers(headers), ...pairsOf(added)].flat();
    const call = { method, url, headers: fields, timeoutMs, verifyTls };
    const answer = await http.call(body === undefined || body === null ? call : { ...call, body: String(body) });
    const content = BODILESS.has(answer.status) ? null : new Uint8Array(answer.body);
    return new Response(content, { status: answer.status, headers: pairsOf(answer.headers) });
  };
}

function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index] ?? "", flat[index + 1] ?? ""]);
  return pairs;
}

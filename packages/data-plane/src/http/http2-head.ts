/** A request's head, as the rest of the gateway reads heads. */
export interface Http2Head {
  readonly method: string;
  readonly target: string;
  /** Flat, `Host` first, one `Cookie`. */
  readonly rawHeaders: readonly string[];
  /** Names and values together. */
  readonly sizeBytes: number;
  /** `:authority` and `Host` name different servers, which two readers would understand differently. */
  readonly isAmbiguous: boolean;
}

/**
 * Reads a head: `:authority` becomes `Host`, and cookies that came in pieces become one field (RFC 9113 sections
 * 8.2.3 and 8.3.1). Field names that belong to HTTP/1 connections are refused below, by the HTTP/2 library.
 */
export function readHttp2Head(fields: readonly string[]): Http2Head {
  const special = new Map<string, string>();
  const others: string[] = [];
  let sizeBytes = 0;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    const value = fields[index + 1] as string;
    sizeBytes += name.length + value.length;
    const earlier = special.get(name);
    if (name === "cookie") special.set(name, earlier === undefined ? value : `${earlier}; ${value}`);
    // A second `Host` stays where it is, so that the request is refused like one of HTTP/1.
    else if (name.startsWith(":") || (name === "host" && earlier === undefined)) special.set(name, value);
    else others.push(name, value);
  }
  const authority = special.get(":authority");
  const host = special.get("host");
  const cookie = special.get("cookie");
  const named = authority ?? host;
  const rawHeaders = named === undefined ? others : ["Host", named, ...others];
  if (cookie !== undefined) rawHeaders.push("cookie", cookie);
  const isAmbiguous = authority !== undefined && host !== undefined && authority !== host;
  const [method = "", target = ""] = [special.get(":method"), special.get(":path")];
  return { method, target, rawHeaders, sizeBytes, isAmbiguous };
}

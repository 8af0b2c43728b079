import { HeaderList } from "@fngate/kernel";

/** Sent when the client named no user agent. */
const USER_AGENT = "fngate";

/**
 * Fields that never reach a function as they came: `host` is the function's own, the framing is the transport's,
 * the others concern one connection only (RFC 9110 7.6.1). `expect` was already met by the listener.
 */
const DROPPED: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "expect",
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "upgrade",
]);

/** Values of `Connection` that need no look at the other fields. */
const NAMES_NOTHING: ReadonlySet<string> = new Set(["keep-alive", "Keep-Alive", "close"]);

/**
 * The fields a function receives, names in lower case: the function's `Host`, the credentials (flat
 * `[name, value, …]`, lower-case names; they replace the client's fields of these names), then the client's fields
 * without those of its connection and those its `Connection` lists. Of `TE` only `trailers` goes on.
 */
export function functionHeaders(client: HeaderList, host: string, credentials: readonly string[]): HeaderList {
  const fields = ["host", host, ...credentials];
  const raw = client.raw;
  const perConnection = connectionNames(client);
  let hasUserAgent = false;
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    if (DROPPED.has(name) || perConnection?.has(name) === true || isNamedIn(credentials, name)) continue;
    if (name === "user-agent") hasUserAgent = true;
    fields.push(name, raw[index + 1] as string);
  }
  if (!hasUserAgent) fields.push("user-agent", USER_AGENT);
  if (takesTrailers(client)) fields.push("te", "trailers");
  return new HeaderList(fields);
}

/** The names that the client's `Connection` lists; absent for the usual values, which name no field. */
function connectionNames(client: HeaderList): ReadonlySet<string> | undefined {
  if (!client.has("connection")) return undefined;
  const values = client.getAll("connection");
  if (values.length === 1 && NAMES_NOTHING.has(values[0] ?? "")) return undefined;
  return new Set(listItems(values));
}

function takesTrailers(client: HeaderList): boolean {
  return client.has("te") && listItems(client.getAll("te")).includes("trailers");
}

/** The lower-case items of a list field that may be repeated. */
function listItems(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(",")).map((item) => item.trim().toLowerCase());
}

function isNamedIn(credentials: readonly string[], name: string): boolean {
  for (let index = 0; index < credentials.length; index += 2) {
    if (credentials[index] === name) return true;
  }
  return false;
}

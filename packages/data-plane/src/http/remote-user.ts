import type { HeaderList } from "@fngate/kernel";

const BASIC = /^Basic +(\S+)$/i;

/** The user that a request names with HTTP's basic authentication, right or wrong; nothing when it names none. */
export function remoteUserOf(headers: Pick<HeaderList, "get">): string | undefined {
  const field = headers.get("authorization");
  if (field === undefined) return undefined;
  const encoded = BASIC.exec(field)?.[1];
  if (encoded === undefined) return undefined;
  const credentials = Buffer.from(encoded, "base64").toString("latin1");
  const colon = credentials.indexOf(":");
  return colon < 0 ? undefined : credentials.slice(0, colon);
}

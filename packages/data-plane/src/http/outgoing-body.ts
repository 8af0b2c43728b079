import type { OutgoingBody } from "@fngate/proxy";
import type { ClientBody } from "./request-body.ts";

const NONE: OutgoingBody = { kind: "none" };

/**
 * The client's body for an upstream. A body of declared length streams; one without is read whole up to `maxBytes`
 * when `isLengthWanted`, so that it goes out with its length, else it streams too.
 */
export function outgoingBody(
  body: ClientBody,
  maxBytes: number,
  isLengthWanted: boolean,
): OutgoingBody | "too-large" | Promise<OutgoingBody | "too-large"> {
  if (!body.isPresent) return NONE;
  if (body.bytes !== undefined) return body.bytes.length > maxBytes ? "too-large" : bytesBody(body.bytes);
  if (body.declaredBytes !== undefined && body.declaredBytes > maxBytes) return "too-large";
  if (body.declaredBytes === undefined && isLengthWanted) {
    return body.read(maxBytes).then((bytes) => (bytes === "too-large" ? bytes : bytesBody(bytes)));
  }
  return { kind: "stream", stream: body.stream(), lengthBytes: body.declaredBytes };
}

function bytesBody(bytes: Uint8Array): OutgoingBody {
  return bytes.length === 0 ? NONE : { kind: "bytes", bytes };
}

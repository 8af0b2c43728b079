import type { IncomingMessage } from "node:http";
import { GatewayError } from "@fngate/kernel";
import { emptyTableForNull } from "@fngate/schema";
import { parse } from "yaml";
import { decodeLuaJson } from "./lua-json.ts";

/** Largest Admin API body in bytes, inclusive; APISIX's, and etcd's default request limit. */
export const MAX_BODY_BYTES = 1_572_864;

/** A decoded body; undefined when there was none. */
export type DecodedBody = { readonly value: unknown } | undefined;

/** Turns the bytes of a body that is not empty into its value; throws `REQUEST_INVALID`. */
export type BodyDecoder = (bytes: Buffer, contentType: string) => unknown;

/** How {@link readBody} reads. */
export interface BodyOptions {
  /** Default: JSON, whatever the Content-Type. */
  readonly decode?: BodyDecoder;
  /** Largest body in bytes, inclusive; default {@link MAX_BODY_BYTES}. */
  readonly maxBytes?: number;
}

/**
 * Reads and decodes a body. A declared length beyond the limit is refused before reading, a chunked body as soon as it
 * goes beyond. Raises `REQUEST_INVALID`, with the raw body in `details.req_body` when it is not JSON.
 */
export async function readBody(request: IncomingMessage, options: BodyOptions = {}): Promise<DecodedBody> {
  const { decode = decodeJson, maxBytes = MAX_BODY_BYTES } = options;
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return undefined;
  return { value: decode(bytes, request.headers["content-type"] ?? "") };
}

/** A whole configuration: YAML when its Content-Type says so, else JSON. Errors do not repeat it. */
export const decodeDocument: BodyDecoder = (bytes, contentType) => {
  if (contentType.startsWith("application/yaml")) {
    return parseYaml(bytes.toString("utf8"));
  }
  const result = decodeLuaJson(bytes);
  if (result.ok) return result.value;
  throw new GatewayError("REQUEST_INVALID", `invalid request body: ${result.message}`);
};

function parseYaml(text: string): object {
  let value: unknown;
  let cause: unknown;
  try {
    // APISIX's parser knows merge keys (<<).
    value = parse(text, emptyTableForNull, { merge: true });
  } catch (error) {
    cause = error;
  }
  if (typeof value === "object" && value !== null) return value;
  throw new GatewayError("REQUEST_INVALID", "invalid request body: invalid yaml request body", { cause });
}

const decodeJson: BodyDecoder = (bytes) => {
  const result = decodeLuaJson(bytes);
  if (result.ok) return result.value;
  throw new GatewayError("REQUEST_INVALID", `invalid request body: ${result.message}`, {
    details: { req_body: bytes.toString("utf8") },
  });
};

/** Declared length of a request in bytes; 0 when none is declared. */
export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers["content-length"] ?? 0);
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (declaredLength(request) > maxBytes) throw tooLarge(declaredLength(request), maxBytes);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else reject(tooLarge(size, maxBytes));
  };
  const onEnd = () => resolve(Buffer.concat(chunks));
  const onFailure = () => {
    // A request that was read closes too, before its listeners are taken off; an error is made for a loss only.
    if (!request.readableEnded) reject(new GatewayError("REQUEST_INVALID", "invalid request body: connection lost"));
  };
  request.on("data", onData).once("end", onEnd).once("error", onFailure).once("close", onFailure);
  try {
    return await promise;
  } finally {
    request.pause();
    request.off("data", onData).off("end", onEnd).off("error", onFailure).off("close", onFailure);
  }
}

function tooLarge(bytes: number, maxBytes: number): GatewayError {
  return new GatewayError(
    "REQUEST_INVALID",
    `invalid request body: request size ${bytes} is greater than the maximum size ${maxBytes} allowed`,
  );
}

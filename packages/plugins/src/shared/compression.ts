import type { HeaderList } from "@fngate/kernel";
import type { ResponseContext } from "@fngate/plugin-kit";
import { z } from "zod";

/** What decides whether an answer is compressed (APISIX: gzip, brotli). Wire names. */
export const compressionFields = {
  types: z
    .union([z.array(z.string().min(1)).min(1), z.literal("*")])
    .default(["text/html"])
    .describe('Media types that are compressed; `"*"`: all of them.'),
  min_length: z.int().min(1).default(20).describe("Bytes below which an answer of known length is not worth it."),
  http_version: z
    .union([z.literal(1.1), z.literal(1)])
    .default(1.1)
    .describe("Lowest HTTP version of clients that get compressed answers."),
  vary: z.boolean().optional().describe("Whether `Vary: Accept-Encoding` is added to compressed answers."),
};

/** {@link compressionFields} with defaults filled in. */
export interface CompressionConfig {
  readonly types: readonly string[] | "*";
  readonly min_length: number;
  readonly http_version: number;
  readonly vary?: boolean | undefined;
}

/** Tells whether an answer may be compressed with a coding, as far as client and answer are concerned. */
export type CompressionTest = (context: ResponseContext) => boolean;

/** Compiles the decision for one content coding. */
export function compileCompression(config: CompressionConfig, coding: string): CompressionTest {
  const types = config.types === "*" ? undefined : new Set(config.types);
  return ({ request, response }) => {
    const { headers } = response;
    if (request.method === "HEAD" || !hasBody(response.status) || headers.has("content-encoding")) return false;
    const type = headers.get("content-type")?.split(";", 1)[0];
    if (type === undefined || (types !== undefined && !types.has(type))) return false;
    const length = headers.get("content-length");
    if (length !== undefined && Number(length) < config.min_length) return false;
    return Number(request.httpVersion) >= config.http_version && accepts(request.headers, coding);
  };
}

/** Says in an answer's head what is done to its body. */
export function markCompressed(headers: HeaderList, coding: string, { vary }: CompressionConfig): void {
  headers.delete("content-length");
  headers.set("Content-Encoding", coding);
  if (vary === true) headers.append("Vary", "Accept-Encoding");
  weakenTag(headers);
}

function hasBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** Whether `Accept-Encoding` names the coding, or `*`, other than to refuse it (RFC 9110, 12.5.3). */
function accepts(headers: HeaderList, coding: string): boolean {
  for (const field of headers.getAll("accept-encoding")) {
    for (const part of field.split(",")) {
      const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
      if (name !== coding && name !== "*") continue;
      return !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    }
  }
  return false;
}

/** The bytes are others now, what they mean is the same; a tag that cannot say so goes. */
function weakenTag(headers: HeaderList): void {
  const tag = headers.get("etag");
  if (tag === undefined || tag.startsWith('W/"')) return;
  if (/^"[^"]*"$/.test(tag)) headers.set("ETag", `W/${tag}`);
  else headers.delete("etag");
}

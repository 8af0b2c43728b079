import { promisify } from "node:util";
import { brotliDecompress, constants, gunzip, inflate } from "node:zlib";

/** Decodes a whole body; rejects when it is none of its coding, or when more than `maxBytes` come out. */
export type Decoder = (body: Buffer, maxBytes: number) => Promise<Buffer>;

// A body that was cut off at the bound is decoded as far as it goes.
const CUT_OFF = { finishFlush: constants.Z_SYNC_FLUSH };

const gunzipBytes = promisify(gunzip);
const inflateBytes = promisify(inflate);
const brotliBytes = promisify(brotliDecompress);

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ["gzip", (body, maxOutputLength) => gunzipBytes(body, { ...CUT_OFF, maxOutputLength })],
  ["deflate", (body, maxOutputLength) => inflateBytes(body, { ...CUT_OFF, maxOutputLength })],
  [
    "br",
    (body, maxOutputLength) => brotliBytes(body, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength }),
  ],
]);

/** The decoder of a `Content-Encoding`; nothing for codings that are not known. */
export function decoderOf(coding: string): Decoder | undefined {
  return DECODERS.get(coding.trim().toLowerCase());
}

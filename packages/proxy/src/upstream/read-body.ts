import type { Readable } from "node:stream";

/**
 * Reads a body of declared length into memory.
 *
 * Rejects when the stream breaks off or its length is another; the stream is then left as it is.
 */
export async function readBody(stream: Readable, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  let filled = 0;
  // `for await` would destroy the stream on the way out, and with it the client's connection.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (filled + chunk.length > lengthBytes) throw new Error(`request body exceeds its ${lengthBytes} bytes`);
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled !== lengthBytes) throw new Error(`request body ended after ${filled} of ${lengthBytes} bytes`);
  return bytes;
}

/** What the first message of a TLS handshake asks for. */
export interface ClientHello {
  /** Lower case, without trailing dot; absent when the client names no server. */
  readonly serverName: string | undefined;
}

/** What the first bytes on a TLS port are; `undefined`: too few of them to tell. */
export type TlsOpening = ClientHello | "http" | "unknown" | undefined;

/** A hello that is longer is refused; those of browsers have some 2 KiB. */
export const MAX_HELLO_BYTES = 32 * 1024;

const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** Version and random. */
const FIXED_BYTES = 34;

/**
 * Reads the server name before the handshake begins. Which protocol versions and client certificates it may have
 * depends on that name, and Node's own callback comes too late for both. Source: RFC 8446 sections 4.1.2 and 5.1,
 * RFC 6066 section 3.
 */
export function readTlsOpening(bytes: Buffer): TlsOpening {
  const [first] = bytes;
  if (first === undefined) return undefined;
  if (first !== HANDSHAKE_RECORD) return first >= 0x41 && first <= 0x5a ? "http" : "unknown";
  const message = handshakeMessage(bytes);
  if (message === undefined || message === "unknown") return message;
  try {
    return { serverName: serverNameOf(new Cursor(message)) };
  } catch {
    // A cursor ran over the end: a length in the message is wrong.
    return "unknown";
  }
}

/** The body of the hello, put together from its records. */
function handshakeMessage(bytes: Buffer): Buffer | "unknown" | undefined {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const end = at + RECORD_HEADER_BYTES + bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== 3 || end === at + RECORD_HEADER_BYTES) return "unknown";
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, end);
    parts.push(part);
    have += part.length;
    const whole = have >= 4 ? wholeMessage(Buffer.concat(parts)) : undefined;
    if (whole !== undefined) return whole;
    at = end;
  }
  return undefined;
}

function wholeMessage(message: Buffer): Buffer | "unknown" | undefined {
  const lengthBytes = message.readUIntBE(1, 3);
  if (message[0] !== CLIENT_HELLO || lengthBytes > MAX_HELLO_BYTES) return "unknown";
  return message.length < 4 + lengthBytes ? undefined : message.subarray(4, 4 + lengthBytes);
}

function serverNameOf(hello: Cursor): string | undefined {
  hello.skip(FIXED_BYTES);
  hello.block(1);
  hello.block(2);
  hello.block(1);
  if (hello.isAtEnd) return undefined;
  const extensions = hello.block(2);
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.block(2);
    if (type === SERVER_NAME) return hostNameOf(content.block(2));
  }
  return undefined;
}

function hostNameOf(names: Cursor): string | undefined {
  while (!names.isAtEnd) {
    const type = names.number(1);
    const name = names.block(2).text();
    if (type === HOST_NAME) return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase() || undefined;
  }
  return undefined;
}

/** Reads numbers and blocks with a length in front; throws `RangeError` beyond the end. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new RangeError("beyond the end");
  }

  number(size: number): number {
    const start = this.#at;
    this.skip(size);
    return this.#bytes.readUIntBE(start, size);
  }

  block(lengthSize: number): Cursor {
    const length = this.number(lengthSize);
    const start = this.#at;
    this.skip(length);
    return new Cursor(this.#bytes.subarray(start, this.#at));
  }

  text(): string {
    return this.#bytes.toString("latin1");
  }
}

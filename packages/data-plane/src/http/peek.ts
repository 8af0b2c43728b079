import type { Socket } from "node:net";

/** Looks at how a connection begins. */
export interface Peek<TFound> {
  /** What the bytes so far say; nothing as long as more are needed. */
  readonly read: (bytes: Buffer) => TFound | undefined;
  /** More bytes than this are not waited for. */
  readonly limitBytes: number;
  /** The connection is paused, and its bytes are all still there to be read. */
  readonly onFound: (found: TFound, bytes: Buffer) => void;
  /** Nothing came of {@link Peek.limitBytes} bytes; the connection is paused. */
  readonly onNothing: () => void;
}

/** Reads from a connection until `read` knows, and puts the bytes back. */
export function peek<TFound>(socket: Socket, { read, limitBytes, onFound, onNothing }: Peek<TFound>): void {
  let bytes: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const found = read(bytes);
    if (found === undefined && bytes.length < limitBytes) return;
    socket.pause();
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.unshift(bytes);
    if (found === undefined) onNothing();
    else onFound(found, bytes);
  };
  const onEnd = (): void => {
    socket.destroy();
  };
  socket.on("data", onData);
  socket.on("end", onEnd);
  // A connection that was looked at before is paused, and a listener alone does not wake it.
  socket.resume();
}

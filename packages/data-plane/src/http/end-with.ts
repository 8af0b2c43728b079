import type { Duplex } from "node:stream";

/** How long a refused client may keep its side of the connection open (nginx: lingering_timeout). */
const REFUSED_LINGER_MS = 5_000;

/** Sends the last bytes of a connection; closing both sides at once could take them with it. */
export function endWith(socket: Duplex, bytes: string | Buffer): void {
  socket.end(bytes);
  // What the client goes on to send is read for its own sake: unread bytes would turn the close into a reset.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), REFUSED_LINGER_MS);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

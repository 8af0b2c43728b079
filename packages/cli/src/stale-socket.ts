import { once } from "node:events";
import { unlink } from "node:fs/promises";
import { connect } from "node:net";
import { hasCode } from "@fngate/kernel";

/** Removes the socket file that a killed process left behind; one that somebody answers on stays. */
export async function removeStaleSocket(path: string): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
  } catch (error) {
    if (hasCode(error, "ECONNREFUSED")) await unlink(path);
  } finally {
    socket.destroy();
  }
}

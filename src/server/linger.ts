import type { Socket } from "node:net";
import type { Clock } from "../core/ports.js";

/** How long a caller may take to close its side behind the last answer, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * Waits for the caller to close its side of a connection that was ended, and breaks it when it does not. Closing at once would
 * take the answer back from a caller who is still sending: a browser then tells of a network error and of nothing else.
 */
export function linger(socket: Socket, clock: Clock): void {
  const cancelTimer = clock.after(LINGER_MS, () => socket.destroy(), { background: true });
  socket.once("close", cancelTimer);
}

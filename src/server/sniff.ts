import type { Socket } from "node:net";
import type { Clock } from "../core/ports.js";

/** What the first bytes of a connection say it speaks. */
export type Spoken = "http2" | "http1";

/** How long to wait for the first bytes. */
export interface SniffOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
}

// HTTP/2's preface begins "PRI * HTTP/2.0"; no HTTP/1.1 method starts with these three letters.
// Source: RFC 9113, 3.4.
const PREFACE_START = Buffer.from("PRI");

/**
 * Reads just enough of a connection to tell what it speaks, puts the bytes back and calls `decided`; a connection that
 * says nothing in time, or ends first, is closed.
 */
export function sniff(
  socket: Socket,
  options: SniffOptions,
  decided: (kind: Spoken) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const finish = (): void => {
    cancelTimer();
    socket.off("data", onData);
    socket.off("end", giveUp);
    socket.off("error", giveUp);
    socket.off("close", finish);
  };
  const giveUp = (): void => {
    finish();
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE_START.length);
    const maybe = seen.subarray(0, length).equals(PREFACE_START.subarray(0, length));
    if (maybe && length < PREFACE_START.length) return;
    finish();
    socket.pause();
    socket.unshift(seen);
    decided(maybe ? "http2" : "http1");
    // node:http listens for data but does not start a stream that was paused; node:http2 reads by itself.
    if (!maybe) socket.resume();
  };
  const cancelTimer = options.clock.after(options.timeoutMs, giveUp, { background: true });
  socket.on("data", onData);
  socket.once("end", giveUp);
  socket.once("error", giveUp);
  socket.once("close", finish);
}

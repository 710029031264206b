import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../core/ports.js";
import { BytesRead } from "./bytes-read.js";

/** How long connections that nothing is under way on may take to end by themselves once they are to be closed, in milliseconds. */
const LINGER_MS = 500;

/**
 * Counts the attempts under way on a transport and lets its connections keep the process alive while there are any but
 * background ones.
 *
 * grpc-js references the socket of a connection as long as there is any call on it, which is right for calls and wrong for
 * a watch that lasts as long as its connection.
 */
export class ConnectionHold {
  readonly #sockets = new Set<Socket>();
  readonly #bytesRead = new BytesRead();
  #foreground = 0;
  #background = 0;
  /** Once no attempt will begin any more. */
  #clock: Clock | undefined;
  #stopTimer: CancelTimer | undefined;

  /** Attempts that have begun and not ended, background ones included. */
  get underWay(): number {
    return this.#foreground + this.#background;
  }

  /** Bytes that have arrived on its connections so far. */
  get bytesRead(): number {
    return this.#bytesRead.total;
  }

  /** An attempt begins. */
  begin(background: boolean): void {
    if (background) this.#background++;
    else if (++this.#foreground === 1) for (const socket of this.#sockets) socket.ref();
  }

  /** An attempt has ended. */
  end(background: boolean): void {
    if (background) this.#background--;
    else if (--this.#foreground === 0) for (const socket of this.#sockets) socket.unref();
    if (this.#clock !== undefined) this.#breakOffSoon(this.#clock);
  }

  /**
   * No attempt will begin any more. What is still open some time after the last one has ended is broken off: HTTP/2 waits for
   * streams that an instance can keep from ending, by allowing none or by headers that are too large.
   */
  close(clock: Clock): void {
    this.#clock = clock;
    this.#breakOffSoon(clock);
  }

  /** A connection is open; from now on its socket is referenced for foreground attempts only, whoever asks. */
  adopt(socket: Socket): void {
    const ref = socket.ref.bind(socket);
    socket.ref = () => (this.#foreground > 0 ? ref() : socket);
    if (this.#foreground === 0) socket.unref();
    this.#sockets.add(socket);
    this.#bytesRead.adopt(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#stopTimer?.();
    });
  }

  #breakOffSoon(clock: Clock): void {
    if (this.underWay > 0 || this.#sockets.size === 0) return;
    const breakOff = (): void => {
      for (const socket of this.#sockets) socket.destroy();
    };
    this.#stopTimer?.();
    this.#stopTimer = clock.after(LINGER_MS, breakOff, { background: true });
  }
}

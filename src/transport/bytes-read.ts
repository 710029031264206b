import type { Socket } from "node:net";

/** Counts what has arrived on connections, those that have gone included; costs nothing until it is asked. */
export class BytesRead {
  readonly #sockets = new Set<Socket>();
  #gone = 0;

  /** Never less than before. */
  get total(): number {
    let sum = this.#gone;
    for (const { bytesRead } of this.#sockets) sum += bytesRead;
    return sum;
  }

  /** A connection is open, or being opened. */
  adopt(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#gone += socket.bytesRead;
    });
  }
}

import type { Socket } from "node:net";
import { addressText } from "../core/instance.js";
import type { Clock } from "../core/ports.js";

/** What a connection speaks; `undecided` before its first bytes. */
export type ConnectionProtocol = "grpc" | "http" | "undecided";

/** One open connection. */
export interface OpenConnection {
  /** `address:port` of the caller. */
  readonly peer: string;
  readonly protocol: ConnectionProtocol;
  readonly openMs: number;
}

/** Connections that a list shows at most. */
const MAX_LISTED = 1_000;

interface Entry {
  readonly socket: Socket;
  readonly peer: string;
  readonly sinceMs: number;
  protocol: ConnectionProtocol;
}

/**
 * The open connections of a port. Those that have not said what they speak belong to neither half, and a port that drains
 * does not wait for them. Over TLS the connection that decides is another object than the one that came in, but has its
 * remote address.
 */
export class OpenConnections {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  readonly #undecided = new Map<string, Entry>();
  #broken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Takes a connection in; `ended` is called when it has closed. */
  add(socket: Socket, ended: () => void): void {
    const peer = peerOf(socket);
    const entry: Entry = { socket, peer, sinceMs: this.#clock.now(), protocol: "undecided" };
    this.#entries.add(entry);
    this.#undecided.set(peer, entry);
    socket.once("close", () => {
      this.#entries.delete(entry);
      if (this.#undecided.get(peer) === entry) this.#undecided.delete(peer);
      ended();
    });
  }

  /** The connection has said what it speaks; false when it came too late. */
  decide(socket: Socket, protocol: "grpc" | "http"): boolean {
    const peer = peerOf(socket);
    const entry = this.#undecided.get(peer);
    if (entry !== undefined) entry.protocol = protocol;
    this.#undecided.delete(peer);
    if (this.#broken) socket.destroy();
    return !this.#broken;
  }

  /** Breaks those that have not said what they speak, now and from now on. */
  breakUndecided(): void {
    this.#broken = true;
    for (const { socket } of [...this.#undecided.values()]) socket.destroy();
  }

  breakAll(): void {
    for (const { socket } of [...this.#entries]) socket.destroy();
  }

  /** The first 1,000, in order of arrival. */
  list(): readonly OpenConnection[] {
    const listed: OpenConnection[] = [];
    for (const { peer, protocol, sinceMs } of this.#entries) {
      if (listed.length === MAX_LISTED) break;
      listed.push({ peer, protocol, openMs: Math.round(this.#clock.now() - sinceMs) });
    }
    return listed;
  }
}

function peerOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return addressText(remoteAddress, remotePort);
}

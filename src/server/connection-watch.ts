import type { CancelTimer, Clock } from "../core/ports.js";

/** The part of a socket that is looked at. */
export interface WatchedConnection {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Bytes handed to the socket since it was opened. */
  readonly bytesWritten: number;
  once(event: "close", listener: () => void): unknown;
  destroy(): unknown;
}

/** What a watch is made of. */
export interface ConnectionWatchOptions {
  /** How long a connection may be silent, in milliseconds. */
  readonly idleMs: number;
  /** Keys ({@link connectionKey}) of the connections on which a call is in progress. */
  readonly busy: () => ReadonlySet<string>;
  readonly clock: Clock;
}

/** Tells connections of one port apart. */
export function connectionKey(
  end: Pick<WatchedConnection, "remoteAddress" | "remotePort">,
): string {
  return `${end.remoteAddress} ${end.remotePort}`;
}

interface Seen {
  readonly connection: WatchedConnection;
  readonly key: string;
  bytes: number;
  sinceMs: number;
}

/** Looks within a limit; a connection is broken between the limit and one and a half times that. */
const LOOKS = 4;
/** Silence that a port which drains still puts up with, in milliseconds. */
const DRAIN_SILENCE_MS = 5_000;

/**
 * Breaks HTTP/2 connections on which no call is in progress and to which nothing has been sent for too long.
 *
 * After an error of the protocol node:http2 sends GOAWAY and stops reading, without closing: it never learns that the
 * other side has gone, and a connection with a stream on it would stay for ever, and keep a drain waiting. What the
 * other side sends does not count: whoever is sent nothing has no call here.
 */
export class ConnectionWatch {
  readonly #options: ConnectionWatchOptions;
  readonly #seen = new Set<Seen>();
  #limitMs: number;
  #cancelTimer: CancelTimer | undefined;

  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
    this.#limitMs = options.idleMs;
  }

  /** Watches a connection until it closes. */
  add(connection: WatchedConnection): void {
    const seen: Seen = {
      connection,
      key: connectionKey(connection),
      bytes: connection.bytesWritten,
      sinceMs: this.#options.clock.now(),
    };
    this.#seen.add(seen);
    connection.once("close", () => this.#seen.delete(seen));
    this.#cancelTimer ??= this.#lookLater();
  }

  /** From now on five seconds of silence are too long. */
  drain(): void {
    this.#limitMs = Math.min(this.#limitMs, DRAIN_SILENCE_MS);
    this.#cancelTimer?.();
    this.#cancelTimer = this.#seen.size === 0 ? undefined : this.#lookLater();
  }

  /** Looks no more. */
  close(): void {
    this.#seen.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #lookLater(): CancelTimer {
    const { clock } = this.#options;
    return clock.after(this.#limitMs / LOOKS, () => this.#look(), { background: true });
  }

  #look(): void {
    this.#cancelTimer = undefined;
    const now = this.#options.clock.now();
    const busy = this.#options.busy();
    // A quarter more, so that grpc-js, which says goodbye, comes first where it can.
    const tooLongMs = this.#limitMs * (1 + 1 / LOOKS);
    for (const seen of [...this.#seen]) {
      const bytes = seen.connection.bytesWritten;
      if (bytes !== seen.bytes || busy.has(seen.key)) {
        seen.bytes = bytes;
        seen.sinceMs = now;
      } else if (now - seen.sinceMs >= tooLongMs) {
        seen.connection.destroy();
      }
    }
    if (this.#seen.size > 0) this.#cancelTimer = this.#lookLater();
  }
}

import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../core/ports.js";

/** How long a connection for questions is kept for the next one, in milliseconds; a server may close it before. */
const KEPT_MS = 10_000;

/** What an answer may have to be read on for the next question; who sends more without being asked is left. */
const MOST_BYTES = 64 * 1024;

/**
 * So much of the time is given to the connection of the question before: the worker behind it may be busy, and another one
 * take a new connection.
 */
const KEPT_SHARE = 0.25;

/** What came back, and whether more can be asked on the connection. */
type Settled = (alive: boolean, again: boolean) => void;

/** What questions to one instance are asked with. */
export interface HttpPingerPorts {
  /** Opens a connection. */
  createSocket(): Socket;
  /** Whether opening one takes a TLS handshake. */
  readonly secure: boolean;
  /** What goes into the `Host` header. */
  readonly host: string;
  readonly clock: Clock;
}

/** Time of one question, in milliseconds. */
export interface HttpPingTimes {
  /** For a new connection, TLS included. */
  readonly connectMs: number;
  /** For the answer, from when the connection is up. */
  readonly timeoutMs: number;
}

/**
 * Asks one instance for signs of life by `OPTIONS *`, which means the server and none of its resources: it starts no work,
 * needs no token, and any answer will do. So will a refusal, a reset or the end of the connection, since somebody must be there
 * for it; a connection that is accepted will not, since the kernel accepts for a process that has been stopped.
 *
 * Over TLS the connection is kept for the next question, so that hands are shaken once. Over plain TCP a new one costs little,
 * and one that is kept could occupy the only worker of a server.
 *
 * Source: RFC 9110, 9.3.7
 */
export class HttpPinger {
  readonly #ports: HttpPingerPorts;
  readonly #open = new Set<PingConnection>();
  #kept: PingConnection | undefined;
  #stopTimer: CancelTimer = () => {};
  #closed = false;

  constructor(ports: HttpPingerPorts) {
    this.#ports = ports;
  }

  /** @param done - called once, with false when nothing was heard in time; never from inside `ask` */
  ask(times: HttpPingTimes, done: (alive: boolean) => void): void {
    const kept = this.#kept;
    if (kept === undefined) {
      this.#askNew(times, done);
      return;
    }
    this.#kept = undefined;
    this.#stopTimer();
    const firstMs = times.timeoutMs * KEPT_SHARE;
    this.#ask(kept, { connectMs: 0, timeoutMs: firstMs }, (alive) => {
      if (alive || this.#closed) done(alive);
      else this.#askNew({ ...times, timeoutMs: times.timeoutMs - firstMs }, done);
    });
  }

  /** Ends all connections; questions that are open have no answer. */
  close(): void {
    this.#closed = true;
    this.#stopTimer();
    for (const connection of this.#open) connection.close();
  }

  #askNew(times: HttpPingTimes, done: (alive: boolean) => void): void {
    const { createSocket, secure, host, clock } = this.#ports;
    const connection = new PingConnection(createSocket(), { secure, host, clock }, () => {
      this.#open.delete(connection);
      if (this.#kept !== connection) return;
      this.#kept = undefined;
      this.#stopTimer();
    });
    this.#open.add(connection);
    this.#ask(connection, times, done);
  }

  #ask(connection: PingConnection, times: HttpPingTimes, done: (alive: boolean) => void): void {
    connection.ask(times, (alive, again) => {
      if (again && this.#ports.secure && this.#kept === undefined && !this.#closed) {
        this.#keep(connection);
      } else connection.close();
      done(alive);
    });
  }

  #keep(connection: PingConnection): void {
    this.#kept = connection;
    const drop = (): void => connection.close();
    this.#stopTimer = this.#ports.clock.after(KEPT_MS, drop, { background: true });
  }
}

/** One connection; one question at a time. */
class PingConnection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #request: string;
  #settled: Settled | undefined;
  #stopTimer: CancelTimer = () => {};
  /** TLS included. */
  #up = false;
  #timeoutMs = 0;
  /** Since the question before. */
  #bytes = 0;

  constructor(
    socket: Socket,
    { secure, host, clock }: Omit<HttpPingerPorts, "createSocket">,
    onClosed: () => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    const fate = secure ? "" : "connection: close\r\n";
    this.#request = `OPTIONS * HTTP/1.1\r\nhost: ${host}\r\n${fate}\r\n`;
    let reached = false;
    socket.unref();
    socket.once("connect", () => {
      reached = true;
    });
    socket.once(secure ? "secureConnect" : "connect", () => this.#begin());
    socket.on("data", ({ length }: Buffer) => this.#heard(length));
    socket.once("end", () => this.#settle(true, false));
    socket.on("error", (error) => this.#settle(isFromPeer(error, reached), false));
    socket.once("close", () => {
      this.#settle(false, false);
      onClosed();
    });
  }

  ask({ connectMs, timeoutMs }: HttpPingTimes, settled: Settled): void {
    this.#settled = settled;
    this.#timeoutMs = timeoutMs;
    this.#bytes = 0;
    if (this.#up) this.#send();
    else this.#limit(connectMs);
  }

  close(): void {
    this.#socket.destroy();
  }

  #begin(): void {
    this.#up = true;
    if (this.#settled !== undefined) this.#send();
  }

  #send(): void {
    this.#limit(this.#timeoutMs);
    this.#socket.write(this.#request);
  }

  #limit(ms: number): void {
    this.#stopTimer();
    this.#stopTimer = this.#clock.after(ms, () => this.#settle(false, false), { background: true });
  }

  #heard(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MOST_BYTES) this.#socket.destroy();
    this.#settle(true, !this.#socket.destroyed);
  }

  #settle(alive: boolean, again: boolean): void {
    const settled = this.#settled;
    this.#settled = undefined;
    this.#stopTimer();
    settled?.(alive, again);
  }
}

const refusals: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/** Whether somebody at the other end made it fail; a network that leads nowhere, or this machine, is nobody. */
function isFromPeer(error: Error, reached: boolean): boolean {
  if (error instanceof AggregateError) {
    return error.errors.some((cause) => cause instanceof Error && isFromPeer(cause, reached));
  }
  if ("code" in error && refusals.has(error.code)) return true;
  // What TLS says of the other end, which has spoken then.
  return reached && !("syscall" in error);
}

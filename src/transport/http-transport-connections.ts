import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import { Client } from "undici";
import { runOutsideCalls } from "../core/ambient-call.js";
import { addressText, type Instance } from "../core/instance.js";
import type { CancelTimer, Clock } from "../core/ports.js";
import { BytesRead } from "./bytes-read.js";
import { secureContext } from "./client-tls.js";
import { HttpPinger } from "./http-ping.js";
import type { ClientTls } from "./transport.js";

/**
 * How long a connection may be idle, in milliseconds, unless the server names its own time: below the five seconds after
 * which most servers close one, so that a request seldom meets a connection that is just being closed.
 */
const IDLE_MS = 4_000;

/** By so much the server's own time is undercut, in milliseconds. */
const IDLE_MARGIN_MS = 1_000;

/** However long the server would wait: what stands between may forget a silent connection without a word. */
const LONGEST_IDLE_MS = 60_000;

/** How long a connection may be silent before the other machine is asked whether it is there, in milliseconds. */
const TCP_PROBE_MS = 60_000;

/** Node's default is a quarter of it; answers with tensors are large. */
const READ_BYTES = 64 * 1024;

/**
 * A question for a sign of life waits for its connection no longer than so many times what the latest one took: long enough
 * for a network that is far, and short enough to notice one that leads nowhere.
 */
const PATIENCE = 4;

/** What connections are opened with. */
export interface ConnectionOptions {
  /** TLS to the instance; undefined for plain HTTP. */
  readonly tls: ClientTls | undefined;
  /** Milliseconds that one try to connect may take, TLS included. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

/** Who is told how tries to connect went. */
export interface ConnectionListener {
  onOpening(): void;
  onOpened(): void;
  /** A try failed, and no connection is open. */
  onFailed(error: Error): void;
}

interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly highWaterMark: number;
}

type Connected = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/**
 * The connections to one instance: as many as calls are under way, the one that was used last first. Each is a client of
 * undici's, which sends one request after the other on one connection and makes a new one when that has gone.
 */
export class HttpConnections {
  readonly #instance: Instance;
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  /** What the connection before was made with. */
  #context: SecureContext | undefined;
  readonly #clients = new Set<Client>();
  readonly #idle: Client[] = [];
  readonly #opening = new Set<Socket>();
  readonly #pinger: HttpPinger;
  readonly #bytesRead = new BytesRead();
  #open = 0;
  /** What opening the latest one took, in milliseconds. */
  #openedInMs = 0;
  #session: Buffer | undefined;
  /** Opened ahead of the first call; `#claim` is who takes it before it is open, `#releaseSpare` lets go of it after that. */
  #spare: Socket | undefined;
  #claim: Connected | undefined;
  #releaseSpare: (() => void) | undefined;

  constructor(instance: Instance, options: ConnectionOptions, listener: ConnectionListener) {
    this.#instance = instance;
    this.#options = options;
    this.#listener = listener;
    const { tls, clock } = options;
    this.#context = tls === undefined ? undefined : secureContext(tls, "tls");
    this.#pinger = new HttpPinger({
      createSocket: () => this.#createSocket(),
      secure: tls !== undefined,
      host: addressText(instance.host, instance.port),
      clock,
    });
  }

  /** Bytes that have arrived on all connections so far, answers to questions included. */
  get bytesRead(): number {
    return this.#bytesRead.total;
  }

  /** Opens a connection, which the first call then takes; it keeps no process alive. */
  prepare(): void {
    if (this.#spare !== undefined) return;
    this.#spare = this.#connect((error, socket) => {
      const claim = this.#claim;
      this.#claim = undefined;
      if (error !== null) {
        this.#spare = undefined;
        claim?.(error, null);
      } else if (claim === undefined) {
        this.#keepSpare(socket);
      } else {
        this.#spare = undefined;
        claim(null, socket);
      }
    });
    this.#spare.unref();
  }

  /** A connection for one request; it is to be given back, or discarded. */
  take(): Client {
    return this.#idle.pop() ?? this.#createClient();
  }

  /** The request has been answered. */
  give(client: Client): void {
    this.#idle.push(client);
  }

  /** The request has failed, and its connection with it. */
  discard(client: Client): void {
    this.#clients.delete(client);
    client.close(() => {});
  }

  /** Asks for a sign of life on a connection that counts for nothing: it may fail for want of an answer, and others be fine. */
  ping(timeoutMs: number, done: (alive: boolean) => void): void {
    const longest = Math.max(timeoutMs, PATIENCE * this.#openedInMs);
    const connectMs = Math.min(this.#options.connectTimeoutMs, longest);
    this.#pinger.ask({ connectMs, timeoutMs }, done);
  }

  /** Ends what is idle or not open yet; the rest when it has been answered. */
  close(): void {
    this.#pinger.close();
    const spare = this.#spare;
    this.#releaseSpare?.();
    spare?.destroy();
    for (const socket of this.#opening) socket.destroy(new Error("closed while connecting"));
    for (const client of this.#clients) client.close(() => {});
    this.#clients.clear();
  }

  #createClient(): Client {
    const { host, port } = this.#instance;
    const scheme = this.#options.tls === undefined ? "http" : "https";
    const client = new Client(`${scheme}://${addressText(host, port)}`, {
      connect: (_options, connected) => this.#connectFor(connected),
      keepAliveTimeout: IDLE_MS,
      keepAliveTimeoutThreshold: IDLE_MARGIN_MS,
      keepAliveMaxTimeout: LONGEST_IDLE_MS,
      // The call's own time limit rules.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#clients.add(client);
    client.on("disconnect", () => {
      const at = this.#idle.indexOf(client);
      if (at < 0) return;
      this.#idle.splice(at, 1);
      this.discard(client);
    });
    return client;
  }

  #connectFor(connected: Connected): void {
    const spare = this.#spare;
    if (spare === undefined || this.#claim !== undefined) {
      this.#connect(connected);
      return;
    }
    spare.ref();
    if (this.#opening.has(spare)) {
      this.#claim = connected;
      return;
    }
    this.#releaseSpare?.();
    // undici does not expect an answer before it has hung up.
    queueMicrotask(() => connected(null, spare));
  }

  /** Whatever an unused connection says, its end above all, makes it useless. */
  #keepSpare(socket: Socket): void {
    const drop = (): void => {
      this.#releaseSpare?.();
      socket.destroy();
    };
    // With TLS 1.3 that is how a server says that it wants another certificate.
    const failed = (error: Error): void => {
      this.#releaseSpare?.();
      if (this.#open === 1) this.#listener.onFailed(error);
    };
    const stopTimer = this.#options.clock.after(IDLE_MS, drop, { background: true });
    socket.once("readable", drop);
    socket.once("error", failed);
    this.#releaseSpare = () => {
      stopTimer();
      socket.off("readable", drop);
      socket.off("error", failed);
      this.#spare = undefined;
      this.#releaseSpare = undefined;
    };
  }

  #connect(connected: Connected): Socket {
    const { clock, connectTimeoutMs } = this.#options;
    this.#listener.onOpening();
    const beganMs = clock.now();
    const socket = this.#createSocket();
    let stopTimer: CancelTimer | undefined;
    const settle = (act: () => void): boolean => {
      if (!this.#opening.delete(socket)) return false;
      stopTimer?.();
      act();
      return true;
    };
    this.#opening.add(socket);
    socket.once(this.#options.tls === undefined ? "connect" : "secureConnect", () =>
      settle(() => {
        this.#open++;
        this.#openedInMs = clock.now() - beganMs;
        socket.once("close", () => this.#open--);
        this.#listener.onOpened();
        connected(null, socket);
      }),
    );
    // Stays, since an error that nobody listens for ends the process.
    socket.on("error", (error) => {
      const first = settle(() => {
        if (this.#open === 0) this.#listener.onFailed(error);
        connected(error, null);
      });
      // A TLS alert ends nothing by itself, and undici would only see the end that follows.
      if (!first) socket.destroy(error);
    });
    const late = (): void => {
      socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`));
    };
    stopTimer = clock.after(connectTimeoutMs, late, { background: true });
    return socket;
  }

  /** Outside of the call that needs it: a connection outlives that. */
  #createSocket(): Socket {
    const { host, port } = this.#instance;
    const { tls } = this.#options;
    const options = { host, port, highWaterMark: READ_BYTES };
    const socket = runOutsideCalls(() =>
      tls === undefined ? connectTcp(options) : this.#createTlsSocket(options, tls),
    );
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_PROBE_MS);
    this.#bytesRead.adopt(socket);
    return socket;
  }

  #createTlsSocket(options: SocketOptions, tls: ClientTls): Socket {
    // Node names a host only when told to, and gateways go by that name; addresses are no names.
    const name = tls.serverName ?? (isIP(options.host) === 0 ? options.host : undefined);
    const context = secureContext(tls, "tls");
    // A session that goes on shows the certificate that it began with.
    if (context !== this.#context) this.#session = undefined;
    this.#context = context;
    const socket = connectTls({
      ...options,
      ALPNProtocols: ["http/1.1"],
      ...(name === undefined ? {} : { servername: name }),
      ...(context === undefined ? {} : { secureContext: context }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.on("session", (session) => {
      this.#session = session;
    });
    return socket;
  }
}

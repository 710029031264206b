import type { Reason } from "../core/error-catalog.js";
import type { Instance } from "../core/instance.js";
import type { LoadReport } from "../core/load-report.js";
import type { MetadataView } from "../core/metadata.js";
import type { Clock, Random } from "../core/ports.js";
import type { Status } from "../core/status.js";

/** What a transport knows of its connection. */
export type TransportState = "idle" | "connecting" | "ready" | "failed" | "closed";

/** How an attempt ended. */
export interface AttemptEnd {
  readonly code: Status;
  readonly message: string;
  readonly trailers: MetadataView;
  /** What happened, in the catalogue's words; undefined for OK. */
  readonly reason: Reason | undefined;
  /** True when the status came from the instance, false when this side made it. */
  readonly remote: boolean;
  /** What an instance answered over HTTP, when that was not 200. */
  readonly http?: HttpAnswer;
  /** What the instance said of its load, if it did and the transport was made to listen for it. */
  readonly load?: LoadReport;
}

/** An answer over HTTP that was not a success. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  /** When it said to come back, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** Told of what arrives for an attempt; `onEnd` comes exactly once and last. */
export interface AttemptListener {
  onHeaders(headers: MetadataView): void;
  onMessage(message: Uint8Array): void;
  onEnd(end: AttemptEnd): void;
}

/** What an attempt is started with. */
export interface AttemptStart {
  /** `/package.Service/Method`; over HTTP the request target, query included. */
  readonly path: string;
  readonly metadata: MetadataView;
  /** Time left, in milliseconds, over gRPC put on the wire; Infinity for none. */
  readonly timeoutMs: number;
  /** Attempts of the same call that went before and may have reached an instance. */
  readonly previousAttempts: number;
  /**
   * Whether the attempt keeps no process alive: for what lasts as long as its connection. To be started on one that is
   * ready and without a time limit, since a wait for either still does.
   *
   * @defaultValue false
   */
  readonly background?: boolean;
}

/** One attempt of a call on one instance. */
export interface Attempt {
  /**
   * Sends one message; `flushed` is called when the next one may be handed over. Handing one over earlier loses it. The
   * bytes must not change until then.
   */
  send(message: Uint8Array, flushed?: () => void): void;
  /** No more messages will be sent; allowed while the last one is not flushed yet. */
  halfClose(): void;
  /** Asks for one more message; never ask twice at once. */
  read(): void;
  /** Gives the attempt up; it ends with this status on this side. */
  cancel(code: Status, message: string): void;
}

/**
 * The way to one instance. Most have one connection (a socket) or none, some have several when they are needed; only this
 * folder knows how many.
 */
export interface Transport {
  readonly instance: Instance;
  readonly state: TransportState;
  /** Starts connecting when idle or failed; does nothing otherwise. */
  connect(): void;
  /** Calls back on every change of state, until taken back. */
  onState(listener: (state: TransportState) => void): () => void;
  /**
   * Starts an attempt; on a transport that is not ready it waits for the connection, or ends with CONNECT_FAILED. The
   * listener is never called from inside `start`.
   *
   * @throws ConfigError `INVALID_OPTION` for metadata that cannot be sent.
   */
  start(start: AttemptStart, listener: AttemptListener): Attempt;
  /** Takes no new attempts and closes the connection when those under way have ended. */
  close(): void;
  /** Signs of life and of readiness; left out by transports that have none. */
  readonly health?: TransportHealth;
}

/** A transport that never has more than one connection at a time, and says how much it has to do. */
export interface CountingTransport extends Transport {
  readonly health: Required<TransportHealth>;
  /** Attempts that have begun and not ended. */
  readonly underWay: number;
}

/** How an instance is asked how it is; keeps no process alive. */
export interface TransportHealth {
  /**
   * Asks for a sign of life: over gRPC on the connection that calls use, without which there is none, over HTTP on one of its
   * own. Any answer is one, a refusal included, and so is a connection of its own that is refused or ended by the instance.
   *
   * @param timeoutMs - counts from when the connection is up
   * @param done - called once, with false when nothing was heard in time; never from inside `ping`
   */
  ping(timeoutMs: number, done: (alive: boolean) => void): void;
  /**
   * Follows what the instance says of its own readiness, for as long as the connection lasts; over gRPC by
   * `grpc.health.v1.Health/Watch`. Left out by transports that have no such thing.
   *
   * @param listener - told undefined when the instance makes no statement: it has no health service, or does not let us ask;
   *   never from inside `watch`
   * @returns ends it
   */
  watch?(listener: (serving: boolean | undefined) => void): () => void;
  /** How many bytes have come from the instance, over all its connections; never fewer than before. Left out where that is unknown. */
  bytesRead?(): number;
}

/**
 * TLS towards instances and directories.
 *
 * Files are read at once and looked at again before new connections, once a second at most, so that certificates can be replaced
 * while a client runs; open connections keep what they were made with. Files that cannot be used leave what was read before in use.
 */
export interface ClientTls {
  /** Authorities to trust, PEM; the system's own when left out. */
  readonly ca?: string | Uint8Array | undefined;
  /** Certificate of the client, PEM, for mutual TLS. */
  readonly cert?: string | Uint8Array | undefined;
  /** Key of the certificate, PEM. */
  readonly key?: string | Uint8Array | undefined;
  /** Path of a file with `ca`. */
  readonly caFile?: string | undefined;
  /** Path of a file with `cert`. */
  readonly certFile?: string | undefined;
  /** Path of a file with `key`. */
  readonly keyFile?: string | undefined;
  /** Name that the certificate must carry, when it is not the host's. */
  readonly serverName?: string | undefined;
}

/** What all transports of a channel share. */
export interface TransportOptions {
  readonly tls: ClientTls | undefined;
  readonly maxMessageBytes: number;
  /** Milliseconds between HTTP/2 pings; 0 for none. */
  readonly pingIntervalMs: number;
  /**
   * Milliseconds that one try to connect may take: TCP, TLS and the first HTTP/2 settings.
   *
   * @defaultValue 2000
   */
  readonly connectTimeoutMs?: number;
  /**
   * Whether the connection keeps no process alive, not even with a call under way: for watches.
   *
   * @defaultValue false
   */
  readonly background?: boolean;
  /**
   * Whether load reports behind answers are read.
   *
   * @defaultValue false
   */
  readonly loadReports?: boolean;
  /** Time of pings and health watches. @defaultValue the machine's */
  readonly clock?: Clock;
  /** Jitter of what they wait. @defaultValue `Math.random` */
  readonly random?: Random;
}

/** Makes the way to an instance; connects nothing yet. */
export type TransportFactory = (instance: Instance) => Transport;

import type { Reason } from "../core/error-catalog.js";
import type { Instance } from "../core/instance.js";
import type { MetadataView } from "../core/metadata.js";
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

/** The way to one instance. */
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
}

/** TLS towards instances and directories. */
export interface ClientTls {
  /** Authorities to trust, PEM; the system's own when left out. */
  readonly ca?: string | Uint8Array | undefined;
  /** Certificate of the client, PEM, for mutual TLS. */
  readonly cert?: string | Uint8Array | undefined;
  /** Key of the certificate, PEM. */
  readonly key?: string | Uint8Array | undefined;
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
}

/** Makes the way to an instance; connects nothing yet. */
export type TransportFactory = (instance: Instance) => Transport;

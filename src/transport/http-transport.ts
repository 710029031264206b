import { runOutsideCalls } from "../core/ambient-call.js";
import type { Instance } from "../core/instance.js";
import { connectionErrorText } from "./connection-error.js";
import { checkTarget, httpHeadersFrom } from "./http-headers.js";
import { type AttemptPorts, HttpAttempt } from "./http-transport-attempt.js";
import { type ConnectionOptions, HttpConnections } from "./http-transport-connections.js";
import type {
  Attempt,
  AttemptListener,
  AttemptStart,
  Transport,
  TransportHealth,
  TransportState,
} from "./transport.js";

/** What all HTTP transports of a channel share. */
export interface HttpTransportOptions extends ConnectionOptions {
  /** Largest body either way, in bytes. */
  readonly maxMessageBytes: number;
  /**
   * Whether load reports in answers' headers are read.
   *
   * @defaultValue false
   */
  readonly loadReports?: boolean;
}

/**
 * Makes the way to an instance over HTTP/1.1: a POST for each attempt, on connections that are kept. Only 200 is a success;
 * redirects are answers, not followed.
 *
 * It is ready once a connection has worked, and stays so while connections come and go; it has failed when a try to
 * connect fails and no connection is open.
 *
 * @throws ConfigError `INVALID_OPTION` for TLS material that cannot be used.
 */
export function createHttpTransport(instance: Instance, options: HttpTransportOptions): Transport {
  return new HttpTransport(instance, options);
}

class HttpTransport implements Transport {
  readonly instance: Instance;
  readonly health: TransportHealth;
  readonly #connections: HttpConnections;
  readonly #ports: AttemptPorts;
  readonly #unsent = new Set<HttpAttempt>();
  readonly #listeners = new Set<(state: TransportState) => void>();
  #state: TransportState = "idle";

  constructor(instance: Instance, options: HttpTransportOptions) {
    this.instance = instance;
    this.#connections = new HttpConnections(instance, options, {
      onOpening: () => {
        if (this.#state !== "ready") this.#become("connecting");
      },
      onOpened: () => this.#become("ready"),
      onFailed: (error) => this.#fail(error),
    });
    this.#ports = {
      connections: this.#connections,
      unsent: this.#unsent,
      maxMessageBytes: options.maxMessageBytes,
      loadReports: options.loadReports ?? false,
      clock: options.clock,
      onRefused: (error) => this.#fail(error),
    };
    this.health = {
      ping: (timeoutMs, done) => this.#ping(timeoutMs, done),
      bytesRead: () => this.#connections.bytesRead,
    };
  }

  get state(): TransportState {
    return this.#state;
  }

  connect(): void {
    if (this.#state !== "idle" && this.#state !== "failed") return;
    runOutsideCalls(() => this.#connections.prepare());
  }

  onState(listener: (state: TransportState) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(start: AttemptStart, listener: AttemptListener): Attempt {
    checkTarget(start.path);
    const headers = httpHeadersFrom(start.metadata);
    const attempt = new HttpAttempt(this.#ports, start, headers, listener);
    if (this.#state === "closed") attempt.giveUp("the connection was closed");
    return attempt;
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#become("closed");
    this.#listeners.clear();
    this.#giveUpUnsent("the connection was closed");
    this.#connections.close();
  }

  #ping(timeoutMs: number, done: (alive: boolean) => void): void {
    if (this.#state === "closed") setImmediate(done, false);
    else this.#connections.ping(timeoutMs, done);
  }

  #fail(error: Error): void {
    if (this.#state === "closed") return;
    // Before the state: whoever hears of it may close, which has less to say.
    this.#giveUpUnsent(connectionErrorText(error));
    this.#become("failed");
  }

  #giveUpUnsent(message: string): void {
    for (const attempt of [...this.#unsent]) attempt.giveUp(message);
  }

  #become(state: TransportState): void {
    if (state === this.#state || this.#state === "closed") return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

import { errorCatalog, type Reason } from "../../src/core/error-catalog.js";
import type { Instance } from "../../src/core/instance.js";
import { emptyMetadata, metadataOf } from "../../src/core/metadata.js";
import type { Status } from "../../src/core/status.js";
import type {
  Attempt,
  AttemptEnd,
  AttemptListener,
  AttemptStart,
  Transport,
  TransportState,
} from "../../src/transport/transport.js";
import { FakeHealth } from "./client-fake-health.js";

/** What is special about the end of an attempt. */
export interface Ending {
  readonly code?: Status;
  readonly remote?: boolean;
  readonly trailers?: Record<string, string>;
  readonly httpStatus?: number;
  readonly retryAfterMs?: number | undefined;
}

/** Makes the end of an attempt. */
export function endOf(reason: Reason | undefined, options: Ending = {}): AttemptEnd {
  const { remote = false, trailers, httpStatus: status, retryAfterMs } = options;
  const body = new Uint8Array(0);
  return {
    ...(status === undefined ? {} : { http: { status, body, retryAfterMs } }),
    code: options.code ?? (reason === undefined ? 0 : errorCatalog[reason].code),
    message: reason === undefined ? "" : `told ${reason}`,
    trailers: trailers === undefined ? emptyMetadata : metadataOf(trailers),
    reason,
    remote,
  };
}

/** An attempt that a test answers. */
export class FakeAttempt implements Attempt {
  readonly instance: string;
  readonly start: AttemptStart;
  readonly sent: Uint8Array[] = [];
  halfClosed = false;
  reads = 0;
  cancelled: { code: Status; message: string } | undefined;
  readonly #listener: AttemptListener;
  #flushed: (() => void) | undefined;
  #ended = false;

  constructor(instance: string, start: AttemptStart, listener: AttemptListener) {
    this.instance = instance;
    this.start = start;
    this.#listener = listener;
  }

  send(message: Uint8Array, flushed?: () => void): void {
    if (this.#flushed !== undefined) throw new Error("sent before the last one was flushed");
    this.sent.push(message);
    this.#flushed = flushed;
  }

  halfClose(): void {
    this.halfClosed = true;
  }

  read(): void {
    this.reads++;
  }

  cancel(code: Status, message: string): void {
    this.cancelled ??= { code, message };
    process.nextTick(() => this.end(endOf("CANCELLED", { code })));
  }

  /** The message that was sent last has left. */
  flush(): void {
    const flushed = this.#flushed;
    this.#flushed = undefined;
    flushed?.();
  }

  headers(): void {
    this.#listener.onHeaders(emptyMetadata);
  }

  message(text: string): void {
    this.#listener.onMessage(Buffer.from(text));
  }

  end(end: AttemptEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onEnd(end);
  }
}

/** A transport whose connection and attempts are in the hands of a test. */
export class FakeTransport implements Transport {
  readonly instance: Instance;
  state: TransportState = "idle";
  connects = 0;
  readonly attempts: FakeAttempt[] = [];
  readonly #readyAtOnce: boolean;
  readonly #listeners = new Set<(state: TransportState) => void>();

  constructor(instance: Instance, readyAtOnce: boolean) {
    this.instance = instance;
    this.#readyAtOnce = readyAtOnce;
  }

  connect(): void {
    this.connects++;
    if (this.state === "idle" || this.state === "failed") this.become("connecting");
    if (this.#readyAtOnce) this.become("ready");
  }

  onState(listener: (state: TransportState) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(start: AttemptStart, listener: AttemptListener): FakeAttempt {
    const attempt = new FakeAttempt(this.instance.key, start, listener);
    this.attempts.push(attempt);
    return attempt;
  }

  close(): void {
    this.become("closed");
  }

  become(state: TransportState): void {
    if (state === this.state || this.state === "closed") return;
    this.state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

/** Makes fake transports and remembers them, in order. */
export class FakeTransports {
  readonly all: FakeTransport[] = [];
  /** New ones are ready as soon as they are asked to connect. */
  readyAtOnce = false;
  /** New ones can be asked how they are. */
  askable = false;
  /** Thrown instead of making one. */
  broken: Error | undefined;
  readonly #health = new Map<FakeTransport, FakeHealth>();

  readonly create = (instance: Instance): FakeTransport => {
    if (this.broken !== undefined) throw this.broken;
    const transport = new FakeTransport(instance, this.readyAtOnce);
    if (this.askable) {
      const health = new FakeHealth();
      Object.assign(transport, { health });
      this.#health.set(transport, health);
    }
    this.all.push(transport);
    return transport;
  };

  /** The newest transport to an instance. */
  to(key: string): FakeTransport {
    const found = this.all.findLast(({ instance }) => instance.key === key);
    if (found === undefined) throw new Error(`there is no transport to ${key}`);
    return found;
  }

  /** How the instance is, as far as its newest transport can ask. */
  healthOf(key: string): FakeHealth {
    const health = this.#health.get(this.to(key));
    if (health === undefined) throw new Error(`${key} cannot be asked`);
    return health;
  }

  /** All attempts on all transports, in order of transports. */
  get attempts(): readonly FakeAttempt[] {
    return this.all.flatMap(({ attempts }) => attempts);
  }
}

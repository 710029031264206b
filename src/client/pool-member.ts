import { type Backoff, createBackoff } from "../core/backoff.js";
import type { Instance } from "../core/instance.js";
import type { CancelTimer, Clock, Logger, Random } from "../core/ports.js";
import type { Transport, TransportFactory, TransportState } from "../transport/transport.js";

/**
 * First and longest wait between two tries to connect, in milliseconds. With the jitter the longest is below a second, which
 * is how soon an instance that came back on the same address is to have its share again.
 */
const RECONNECT = { initialMs: 200, maxMs: 800 };

/** A connection that lasted no longer than this counts as a failure: a server that accepts and drops is not used. */
const STABLE_MS = 1_000;

/** The transport has a limit of its own and knows more to say; the pool's comes after it. */
const WATCHDOG_MARGIN_MS = 100;

/** What a pool gives its members. */
export interface MemberPorts {
  readonly createTransport: TransportFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly connectTimeoutMs: number;
  /** Least time between two tries while somebody waits for an instance, in milliseconds; Infinity while nobody does. */
  readonly hurryMs: () => number;
  /** The member can be picked, or can no longer be. */
  readonly onUsable: (member: PoolMember, usable: boolean) => void;
  /** Its connection has come up, or works no longer. */
  readonly onReady: (member: PoolMember) => void;
}

/**
 * One listed instance and its connection.
 *
 * ```
 *  new ──first call──> connecting ──> ready ──connection lost──> reconnecting ──> ready
 *                          │ failed, or connectTimeoutMs over         │ failed
 *                          └──────────────> waiting (backoff) <───────┘
 *                                              └──────> reconnecting
 * ```
 *
 * Usable, that is, in the picker, while new, connecting and ready; one that has to prove itself only once ready. Once used
 * it reconnects by itself, with a fresh transport after each failure, since grpc-js neither gives up on a mute peer nor
 * tells when it will try again.
 */
export class PoolMember {
  /** `host:port`; the picker's key too. */
  readonly key: string;
  readonly #ports: MemberPorts;
  /** Made by the first failure: most of a long list are never called. */
  #backoff: Backoff | undefined;
  #instance: Instance;
  #transport: Transport | undefined;
  #usable = true;
  /** What the log has been told: an instance counts as reachable until a try fails. */
  #reachable = true;
  #stopListening: (() => void) | undefined;
  #stopTimer: CancelTimer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #triedMs = 0;
  #readyMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(instance: Instance, ports: MemberPorts) {
    this.key = instance.key;
    this.#instance = instance;
    this.#ports = ports;
  }

  /** Share of traffic; read by the picker. */
  get weight(): number {
    return this.#instance.weight;
  }

  /** False while the connection is known not to work. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Whether the connection works now. */
  get ready(): boolean {
    return this.#usable && this.#transport?.state === "ready";
  }

  /** The connection, opened by asking for it. */
  get transport(): Transport {
    return this.#transport ?? this.#open();
  }

  /** Takes over a new weight, name or app; the connection stays. */
  replace(instance: Instance): void {
    this.#instance = instance;
  }

  /** A new one connects now, and is usable when it is ready; one that has been used is left alone. */
  prove(): void {
    if (this.#transport !== undefined || !this.#usable || this.#closed) return;
    this.#usable = false;
    this.#open();
  }

  /** While somebody waits: tries again now, unless the last try is just over. */
  hurry(): void {
    if (this.#usable || this.#transport !== undefined || this.#closed) return;
    const nextMs = this.#triedMs + this.#ports.hurryMs();
    if (nextMs < this.#dueMs) this.#openAfter(Math.max(0, nextMs - this.#ports.clock.now()));
  }

  /** Ends the connection when the attempts on it have ended; no more are made. */
  close(): void {
    this.#closed = true;
    this.#dropTransport();
  }

  #open(): Transport {
    const transport = this.#ports.createTransport(this.#instance);
    this.#transport = transport;
    this.#triedMs = this.#ports.clock.now();
    this.#readyMs = Number.POSITIVE_INFINITY;
    this.#stopListening = transport.onState((state) => this.#onState(transport, state));
    this.#watch();
    transport.connect();
    return transport;
  }

  #onState(transport: Transport, state: TransportState): void {
    if (transport !== this.#transport) return;
    if (state === "ready") this.#onReady();
    else if (state === "idle") this.#onLost();
    else if (state === "failed" || state === "closed") this.#fail();
    this.#ports.onReady(this);
  }

  #onReady(): void {
    this.#stopTimer?.();
    this.#readyMs = this.#ports.clock.now();
    this.#note(true);
    this.#setUsable(true);
  }

  #onLost(): void {
    const lasted = this.#ports.clock.now() - this.#readyMs;
    if (lasted < STABLE_MS) {
      this.#fail();
      return;
    }
    this.#backoff?.reset();
    this.#note(false);
    this.#setUsable(false);
    this.#triedMs = this.#ports.clock.now();
    this.#watch();
    this.#transport?.connect();
  }

  #fail(): void {
    this.#dropTransport();
    this.#backoff ??= createBackoff(RECONNECT, this.#ports.random);
    this.#openAfter(this.#backoff.next());
    this.#note(false);
    this.#setUsable(false);
    this.hurry();
  }

  #openAfter(ms: number): void {
    this.#dueMs = this.#ports.clock.now() + ms;
    this.#after(ms, () => this.#open());
  }

  #watch(): void {
    this.#after(this.#ports.connectTimeoutMs + WATCHDOG_MARGIN_MS, () => this.#fail());
  }

  /** One timer at a time: a member either waits for a connection or for the next try. */
  #after(ms: number, run: () => void): void {
    this.#stopTimer?.();
    this.#stopTimer = this.#ports.clock.after(ms, run, { background: true });
  }

  #dropTransport(): void {
    this.#stopTimer?.();
    this.#stopListening?.();
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.close();
  }

  #note(reachable: boolean): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    const { logger } = this.#ports;
    if (reachable) logger.info({ instance: this.key }, "instance reached again");
    else logger.warn({ instance: this.key }, "instance cannot be reached");
  }

  #setUsable(usable: boolean): void {
    if (usable === this.#usable) return;
    this.#usable = usable;
    this.#ports.onUsable(this, usable);
  }
}

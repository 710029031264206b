import { runOutsideCalls } from "../../core/ambient-call.js";
import { type Backoff, createBackoff } from "../../core/backoff.js";
import type { Instance } from "../../core/instance.js";
import type { CancelTimer, Clock, Random } from "../../core/ports.js";
import { servingError } from "../../core/serving-error.js";
import type { Transport, TransportFactory, TransportState } from "../../transport/transport.js";
import type { LineLimit } from "./line-limit.js";
import type { Opener, OpeningLine } from "./opening-line.js";

/**
 * First and longest wait between two tries to connect, in milliseconds. With the jitter the longest is below a second, which
 * is how soon an instance that came back on the same address is to have its share again: after a short outage, and after any
 * while a call waits for an instance.
 */
const RECONNECT = { initialMs: 200, maxMs: 800 };

/** The same of an outage that is no longer short, after so many milliseconds: who is down for long is seldom asked for. */
const LONG_RECONNECT = { initialMs: 1_600, maxMs: 30_000, factor: 2 };
const SHORT_OUTAGE_MS = 60_000;

/**
 * A connection that lasted no longer than this counts as a failure, and the next one is used when it has lasted so long, or
 * when nobody else can be picked: a server that accepts and drops is not used.
 */
const STABLE_MS = 1_000;

/** The transport has a limit of its own and knows more to say; the pool's comes after it. */
const WATCHDOG_MARGIN_MS = 100;

/** What connections need from outside; the same for all members of a pool. */
export interface ConnectionPorts {
  readonly createTransport: TransportFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly lines: LineLimit;
  readonly connectTimeoutMs: number;
  /** Where tries stand that no call waits for. */
  readonly line: OpeningLine;
  /** Whether nobody can be picked: any connection is better than none. */
  readonly needed: () => boolean;
  /** Those whose next try is still to come, the one that was hurried last at the end. */
  readonly retrying: Set<MemberConnection>;
  /** Least time between two tries while somebody waits for an instance, in milliseconds; Infinity while nobody does. */
  readonly hurryMs: () => number;
}

/** Whose connection it is. */
export interface ConnectionOwner {
  readonly instance: Instance;
  /** It works (again). */
  onUp(transport: Transport): void;
  /** It works no longer, or a try to connect has failed; tries go on. */
  onDown(): void;
}

/**
 * The connection to one instance, or the tries to have one.
 *
 * ```
 *  none ──first call──> connecting ──> up ──lost──> reconnecting ──> up
 *   ^ │                     │ failed, or connectTimeoutMs over │ failed
 *   │ └─> in line ──> ...   └──────────> waiting (backoff) <───┘
 *   │                                        └──> in line ──> reconnecting
 *   └── rest() ── up
 * ```
 *
 * After one that was lost at once the next is doubted: it is up when it has lasted, unless nobody else can be picked.
 *
 * Once used it reconnects by itself, with a fresh transport after each failure, since grpc-js neither gives up on a mute peer
 * nor tells when it will try again.
 */
export class MemberConnection implements Opener {
  readonly #owner: ConnectionOwner;
  readonly #ports: ConnectionPorts;
  #transport: Transport | undefined;
  /** Made by the first failure: most connections never see one. */
  #backoff: Backoff | undefined;
  /** Since when there has been no connection that lasted; undefined while there is nothing against it. */
  #downSinceMs: number | undefined;
  #downForLong = false;
  #stopListening: (() => void) | undefined;
  #stopTimer: CancelTimer | undefined;
  /** When the next try is due; Infinity unless it waits for one. */
  #dueMs = Number.POSITIVE_INFINITY;
  #triedMs = 0;
  /** When the transport was ready; Infinity unless it is. */
  #readyMs = Number.POSITIVE_INFINITY;
  #up = false;
  /** The connection before was lost at once. */
  #doubted = false;
  /** Why none could even be made, as the log was told. */
  #toldWhy: string | undefined;
  #closed = false;

  constructor(owner: ConnectionOwner, ports: ConnectionPorts) {
    this.#owner = owner;
    this.#ports = ports;
  }

  /** Whether it works now. */
  get up(): boolean {
    return this.#up;
  }

  /** How long the connection took to come up, in milliseconds; 0 while there is none. */
  get openedInMs(): number {
    return this.#up ? this.#readyMs - this.#triedMs : 0;
  }

  /** The way to the instance, opened by asking for it. */
  get transport(): Transport {
    return this.#transport ?? this.#open();
  }

  /** Opens it when its turn comes, unless there is one or tries are under way. */
  prepare(): void {
    if (this.#transport === undefined && this.#dueMs === Number.POSITIVE_INFINITY) {
      this.#ports.line.join(this);
    }
  }

  open(): void {
    if (this.#transport !== undefined || this.#closed) return;
    try {
      this.#open();
    } catch (error) {
      // There is no call to tell, and what cannot be made now may be made later, such as with another certificate.
      const why = String(error);
      const { key } = this.#owner.instance;
      if (why !== this.#toldWhy) {
        this.#ports.lines.warn({ instance: key, error: why }, "no connection can be made");
      }
      this.#toldWhy = why;
      this.#fail();
    }
  }

  /** While somebody waits: tries again now, unless the last try is just over. */
  hurry(): void {
    if (this.#dueMs === Number.POSITIVE_INFINITY) return;
    const nextMs = this.#triedMs + this.#ports.hurryMs();
    if (nextMs < this.#dueMs) this.#openAfter(Math.max(0, nextMs - this.#ports.clock.now()));
  }

  /** Gives the connection up and makes another one; attempts under way end as they may. */
  renew(): void {
    if (this.#transport !== undefined) this.#fail();
  }

  /** Closes it until it is asked for again. */
  rest(): void {
    this.#dropTransport();
  }

  /** Ends it when the attempts on it have ended; no more is made. */
  close(): void {
    this.#closed = true;
    this.#dropTransport();
  }

  #open(): Transport {
    const { key } = this.#owner.instance;
    if (this.#closed) throw servingError("CONNECT_FAILED", `${key} is listed no more`);
    // Whoever needs it first: it is not part of the call that is being served.
    return runOutsideCalls(() => {
      const transport = this.#ports.createTransport(this.#owner.instance);
      this.#transport = transport;
      this.#notDue();
      this.#triedMs = this.#ports.clock.now();
      this.#readyMs = Number.POSITIVE_INFINITY;
      this.#stopListening = transport.onState((state) => this.#onState(transport, state));
      this.#watch();
      transport.connect();
      return transport;
    });
  }

  #onState(transport: Transport, state: TransportState): void {
    if (transport !== this.#transport) return;
    const wasReady = this.#readyMs < Number.POSITIVE_INFINITY;
    if (state === "ready") this.#onReady(transport);
    else if (state === "idle" || (state === "connecting" && wasReady)) this.#onLost();
    else if (state === "failed" || state === "closed") this.#fail();
  }

  #onReady(transport: Transport): void {
    this.#stopTimer?.();
    this.#readyMs = this.#ports.clock.now();
    this.#ports.line.leave(this);
    if (this.#doubted && !this.#ports.needed()) this.#after(STABLE_MS, () => this.#onUp(transport));
    else this.#onUp(transport);
  }

  #onUp(transport: Transport): void {
    this.#doubted = false;
    this.#up = true;
    this.#toldWhy = undefined;
    this.#owner.onUp(transport);
  }

  #onLost(): void {
    const { clock } = this.#ports;
    if (clock.now() - this.#readyMs < STABLE_MS) {
      this.#fail();
      return;
    }
    this.#up = false;
    this.#readyMs = Number.POSITIVE_INFINITY;
    this.#isWell();
    this.#owner.onDown();
    this.#triedMs = clock.now();
    this.#watch();
    this.#transport?.connect();
  }

  #fail(): void {
    const now = this.#ports.clock.now();
    const lastedMs = now - this.#readyMs;
    if (lastedMs >= STABLE_MS) this.#isWell();
    else if (lastedMs >= 0) this.#doubted = true;
    this.#dropTransport();
    this.#downSinceMs ??= now;
    this.#openAfter(this.#nextWaitMs(now - this.#downSinceMs));
    this.#owner.onDown();
    this.hurry();
  }

  /** A connection has lasted: what failed before says nothing any more. */
  #isWell(): void {
    this.#backoff = undefined;
    this.#downSinceMs = undefined;
    this.#downForLong = false;
  }

  #nextWaitMs(downMs: number): number {
    if (downMs >= SHORT_OUTAGE_MS && !this.#downForLong) {
      this.#downForLong = true;
      this.#backoff = undefined;
    }
    const waits = this.#downForLong ? LONG_RECONNECT : RECONNECT;
    this.#backoff ??= createBackoff(waits, this.#ports.random);
    return this.#backoff.next();
  }

  #openAfter(ms: number): void {
    this.#dueMs = this.#ports.clock.now() + ms;
    this.#ports.retrying.add(this);
    this.#after(ms, () => {
      this.#ports.retrying.delete(this);
      this.#ports.line.again(this, this.#downForLong);
    });
  }

  #notDue(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#ports.retrying.delete(this);
  }

  #watch(): void {
    this.#after(this.#ports.connectTimeoutMs + WATCHDOG_MARGIN_MS, () => this.#fail());
  }

  /** One timer at a time: there is either a connection to wait for, or one to last, or the next try. */
  #after(ms: number, run: () => void): void {
    this.#stopTimer?.();
    this.#stopTimer = this.#ports.clock.after(ms, run, { background: true });
  }

  #dropTransport(): void {
    this.#stopTimer?.();
    this.#stopListening?.();
    this.#notDue();
    this.#up = false;
    this.#readyMs = Number.POSITIVE_INFINITY;
    const transport = this.#transport;
    this.#transport = undefined;
    this.#ports.line.leave(this);
    transport?.close();
  }
}

import type { Instance } from "../../src/core/instance.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import type { Clock, Random } from "../../src/core/ports.js";
import { PUSHBACK_TRAILER } from "../../src/core/trailers.js";
import type {
  Attempt,
  AttemptEnd,
  AttemptListener,
  AttemptStart,
  Transport,
  TransportHealth,
  TransportState,
} from "../../src/transport/transport.js";
import { endOf } from "../support/client-fake-transport.js";

/** One way over the network, in milliseconds. */
const WAY_MS = 0.25;

const CONNECT_MS = 1;

const ok: AttemptEnd = endOf(undefined, { remote: true });
const late: AttemptEnd = endOf("DEADLINE_EXCEEDED");
const lost: AttemptEnd = endOf("CONNECTION_LOST");
const answer = Buffer.from("answer");

/** What a server does with what it is sent. */
export type ServerMode =
  | { readonly kind: "healthy" }
  /** Its work takes so many times as long. */
  | { readonly kind: "slow"; readonly factor: number }
  /** Ends attempts so, without doing any work: as large a part of them as is said. */
  | { readonly kind: "failing"; readonly end: AttemptEnd; readonly part: number }
  /** Takes everything and never says a word. */
  | { readonly kind: "silent" };

/** What a server can do. */
export interface ServerSetup {
  /** Calls that it works on at a time. */
  readonly places: number;
  /** Calls that may wait for a place. */
  readonly queue: number;
  /** How long the work for one call takes in the mean, in milliseconds; exponentially distributed. */
  readonly workMs: number;
}

interface Job {
  readonly arrivedMs: number;
  /** When its caller waits no longer. */
  readonly deadlineMs: number;
  /** Its caller has given it up: it is not begun, but what is begun is done to the end, as a model's work is. */
  gone: boolean;
  readonly answer: (end: AttemptEnd) => void;
}

/** A server in virtual time: places for work, a bounded queue before them, and ways to fail. */
export class SimulatedServer {
  mode: ServerMode = { kind: "healthy" };
  /** Attempts that have come. */
  attempts = 0;
  /** Attempts that were refused because the queue was full. */
  refused = 0;
  readonly #clock: Clock;
  readonly #setup: ServerSetup;
  readonly #random: Random;
  readonly #transports = new Set<SimulatedTransport>();
  readonly #queue: Job[] = [];
  #working = 0;
  #up = true;

  constructor(clock: Clock, setup: ServerSetup, random: Random) {
    this.#clock = clock;
    this.#setup = setup;
    this.#random = random;
  }

  /** Whether it can be connected to. */
  get up(): boolean {
    return this.#up;
  }

  /** Connections break and no new ones come up, until {@link restart}. */
  crash(): void {
    this.#up = false;
    this.#queue.length = 0;
    for (const transport of [...this.#transports]) transport.lose();
  }

  restart(): void {
    this.#up = true;
  }

  transport(instance: Instance): SimulatedTransport {
    return new SimulatedTransport(instance, this, this.#clock, this.#transports);
  }

  /** @returns takes the call back */
  take(deadlineMs: number, answer: (end: AttemptEnd) => void): () => void {
    this.attempts++;
    const { mode } = this;
    if (mode.kind === "silent") return () => {};
    if (mode.kind === "failing" && this.#random() < mode.part) {
      answer(mode.end);
      return () => {};
    }
    if (this.#working >= this.#setup.places && this.#queue.length >= this.#setup.queue) {
      this.refused++;
      answer(this.#full());
      return () => {};
    }
    const job: Job = { arrivedMs: this.#clock.now(), deadlineMs, gone: false, answer };
    this.#queue.push(job);
    this.#work();
    return () => {
      job.gone = true;
    };
  }

  #work(): void {
    while (this.#working < this.#setup.places) {
      const job = this.#queue.shift();
      if (job === undefined) return;
      if (job.gone || job.deadlineMs <= this.#clock.now()) continue;
      this.#working++;
      const { mode } = this;
      const meanMs = this.#setup.workMs * (mode.kind === "slow" ? mode.factor : 1);
      const ms = -meanMs * Math.log(1 - this.#random());
      this.#clock.after(ms, () => {
        this.#working--;
        if (this.mode.kind !== "silent") job.answer(ok);
        this.#work();
      });
    }
  }

  /** As the kit's host does it: with the time after which a place should be free. */
  #full(): AttemptEnd {
    return endOf("QUEUE_FULL", { remote: true, trailers: { [PUSHBACK_TRAILER]: "100" } });
  }
}

/** The way to a simulated server. */
export class SimulatedTransport implements Transport {
  readonly instance: Instance;
  state: TransportState = "idle";
  readonly health: TransportHealth;
  readonly #server: SimulatedServer;
  readonly #clock: Clock;
  readonly #open: Set<SimulatedTransport>;
  readonly #listeners = new Set<(state: TransportState) => void>();
  readonly #attempts = new Set<SimulatedAttempt>();

  constructor(
    instance: Instance,
    server: SimulatedServer,
    clock: Clock,
    open: Set<SimulatedTransport>,
  ) {
    this.instance = instance;
    this.#server = server;
    this.#clock = clock;
    this.#open = open;
    this.health = {
      ping: (timeoutMs, done) => {
        const alive = server.up && server.mode.kind !== "silent";
        clock.after(alive ? 2 * WAY_MS : timeoutMs, () => done(alive));
      },
    };
  }

  connect(): void {
    if (this.state !== "idle" && this.state !== "failed") return;
    this.#become("connecting");
    this.#clock.after(CONNECT_MS, () => {
      if (this.state !== "connecting") return;
      if (this.#server.up) this.#open.add(this);
      this.#become(this.#server.up ? "ready" : "failed");
      for (const attempt of [...this.#attempts]) this.#go(attempt);
    });
  }

  onState(listener: (state: TransportState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(start: AttemptStart, listener: AttemptListener): Attempt {
    const attempt = new SimulatedAttempt(this.#clock, start.timeoutMs, listener, () =>
      this.#attempts.delete(attempt),
    );
    this.#attempts.add(attempt);
    if (this.state !== "connecting") this.#clock.after(0, () => this.#go(attempt));
    return attempt;
  }

  close(): void {
    this.#open.delete(this);
    this.#become("closed");
  }

  lose(): void {
    this.#open.delete(this);
    for (const attempt of [...this.#attempts]) attempt.end(lost);
    this.#become("idle");
  }

  #go(attempt: SimulatedAttempt): void {
    if (this.state === "ready") attempt.reach(this.#server);
    else attempt.end(endOf("CONNECT_FAILED"));
  }

  #become(state: TransportState): void {
    if (state === this.state || this.state === "closed") return;
    this.state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

class SimulatedAttempt implements Attempt {
  readonly #clock: Clock;
  readonly #listener: AttemptListener;
  readonly #forget: () => void;
  readonly #deadlineMs: number;
  readonly #stopTimer: () => void;
  #takeBack: (() => void) | undefined;
  #ended = false;

  constructor(clock: Clock, timeoutMs: number, listener: AttemptListener, forget: () => void) {
    this.#clock = clock;
    this.#listener = listener;
    this.#forget = forget;
    this.#deadlineMs = clock.now() + timeoutMs;
    this.#stopTimer = clock.after(timeoutMs, () => {
      this.#takeBack?.();
      this.end(late);
    });
  }

  send(_message: Uint8Array, flushed?: () => void): void {
    flushed?.();
  }

  halfClose(): void {}

  read(): void {}

  cancel(code: AttemptEnd["code"]): void {
    this.#takeBack?.();
    this.#clock.after(0, () => this.end(endOf("CANCELLED", { code })));
  }

  reach(server: SimulatedServer): void {
    this.#clock.after(WAY_MS, () => {
      if (this.#ended) return;
      this.#takeBack = server.take(this.#deadlineMs, (end) => {
        this.#clock.after(WAY_MS, () => this.#answer(end));
      });
    });
  }

  end(end: AttemptEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimer();
    this.#forget();
    this.#listener.onEnd(end);
  }

  #answer(end: AttemptEnd): void {
    if (this.#ended) return;
    if (end.reason === undefined) {
      this.#listener.onHeaders(emptyMetadata);
      this.#listener.onMessage(answer);
    }
    this.end(end);
  }
}

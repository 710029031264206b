import { createBackoff } from "../core/backoff.js";
import { emptyMetadata } from "../core/metadata.js";
import type { CancelTimer, Clock, Random } from "../core/ports.js";
import { Status } from "../core/status.js";
import { healthCheckRpc, healthWatchRpc, ServingStatus } from "../wire/health.js";
import type { Attempt, AttemptEnd, Transport, TransportHealth } from "./transport.js";

/** First and longest wait before a watch that has ended is opened again, in milliseconds. */
const RETRY = { initialMs: 1_000, maxMs: 60_000 };

/**
 * A stream that says more than so much in a second is given up and opened again like one that has ended: what is read later
 * would be old, and what is not read is kept by this machine.
 */
const BURST = 10;
const BURST_MS = 1_000;

/** Who answers so will not answer otherwise on the same connection. */
const final: ReadonlySet<Status> = new Set([
  Status.UNIMPLEMENTED,
  Status.UNAUTHENTICATED,
  Status.PERMISSION_DENIED,
]);

/** The host as a whole. */
const wholeHost = { service: "" };

/** What health needs of its transport. */
export type HealthGround = Pick<Transport, "state" | "onState" | "start">;

/** Time and chance. */
export interface HealthPorts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes the health of a transport that speaks gRPC, by `grpc.health.v1`.
 *
 * A watch ends as soon as its connection is not ready any more: an instance that drains would wait for it. While the
 * connection lasts it is opened again, after 1 to 60 seconds, unless the instance has no health service or lets nobody ask.
 */
export function createGrpcHealth(
  ground: HealthGround,
  ports: HealthPorts,
): Required<Pick<TransportHealth, "ping" | "watch">> {
  return {
    ping: (timeoutMs, done) => ping(ground, ports.clock, timeoutMs, done),
    watch(listener) {
      const watch = new HealthWatch(ground, ports, listener);
      return () => watch.close();
    },
  };
}

function ping(
  ground: HealthGround,
  clock: Clock,
  timeoutMs: number,
  done: (alive: boolean) => void,
): void {
  if (ground.state !== "ready") {
    process.nextTick(done, false);
    return;
  }
  let over = false;
  const settle = (alive: boolean): void => {
    if (over) return;
    over = true;
    stopTimer();
    done(alive);
  };
  const attempt = ground.start(backgroundStart(healthCheckRpc.path), {
    // The first thing that is heard will do; what follows may never end.
    onHeaders() {
      settle(true);
      attempt.cancel(Status.CANCELLED, "heard enough");
    },
    onMessage() {},
    onEnd({ reason }) {
      // A stream that was reset looks like a connection that was lost, but for the connection.
      if (reason === "CONNECTION_LOST") setImmediate(() => settle(ground.state === "ready"));
      else settle(reason !== "CONNECT_FAILED");
    },
  });
  const stopTimer = clock.after(
    timeoutMs,
    () => {
      settle(false);
      attempt.cancel(Status.CANCELLED, "no sign of life in time");
    },
    { background: true },
  );
  attempt.send(healthCheckRpc.encodeRequest(wholeHost));
  attempt.halfClose();
  attempt.read();
}

/** Without a time limit of grpc-js, whose timers keep the process alive. */
function backgroundStart(path: string) {
  const timeoutMs = Number.POSITIVE_INFINITY;
  return { path, metadata: emptyMetadata, timeoutMs, previousAttempts: 0, background: true };
}

/** `Health/Watch` on one connection. */
class HealthWatch {
  readonly #ground: HealthGround;
  readonly #clock: Clock;
  readonly #backoff: ReturnType<typeof createBackoff>;
  readonly #listener: (serving: boolean | undefined) => void;
  readonly #stopListening: () => void;
  #attempt: Attempt | undefined;
  #stopTimer: CancelTimer = () => {};
  #openedMs = 0;
  /** Since when messages are counted, and how many there were. */
  #burstMs = 0;
  #burst = 0;
  /** Whether the stream of now has said anything. */
  #heard = false;
  /** What the listener knows; null before the first word. */
  #told: boolean | undefined | null = null;
  #closed = false;

  constructor(
    ground: HealthGround,
    { clock, random }: HealthPorts,
    listener: (serving: boolean | undefined) => void,
  ) {
    this.#ground = ground;
    this.#clock = clock;
    this.#listener = listener;
    this.#backoff = createBackoff(RETRY, random);
    this.#stopListening = ground.onState((state) => {
      if (state !== "ready") this.close();
    });
    if (ground.state === "ready") this.#open();
    else this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTimer();
    this.#stopListening();
    this.#attempt?.cancel(Status.CANCELLED, "the watch is over");
  }

  #open(): void {
    this.#openedMs = this.#clock.now();
    this.#burst = 0;
    this.#heard = false;
    const attempt = this.#ground.start(backgroundStart(healthWatchRpc.path), {
      onHeaders() {},
      onMessage: (message) => {
        if (this.#closed) return;
        this.#readOn(attempt);
        this.#take(message);
      },
      onEnd: (end) => this.#ended(end),
    });
    this.#attempt = attempt;
    attempt.send(healthWatchRpc.encodeRequest(wholeHost));
    attempt.halfClose();
    attempt.read();
  }

  #readOn(attempt: Attempt): void {
    const now = this.#clock.now();
    if (now - this.#burstMs >= BURST_MS) {
      this.#burstMs = now;
      this.#burst = 0;
    }
    this.#burst++;
    if (this.#burst < BURST) attempt.read();
    else attempt.cancel(Status.RESOURCE_EXHAUSTED, "too many statements");
  }

  #take(message: Uint8Array): void {
    let status: ServingStatus;
    try {
      status = healthWatchRpc.decodeResponse(message).status;
    } catch {
      this.#attempt?.cancel(Status.INTERNAL, "not a message of the health service");
      return;
    }
    this.#heard = true;
    if (status === ServingStatus.SERVING) this.#tell(true);
    else if (status === ServingStatus.NOT_SERVING) this.#tell(false);
    else this.#tell(undefined);
  }

  #ended({ code, remote }: AttemptEnd): void {
    if (this.#closed) return;
    if (remote && final.has(code)) {
      this.close();
    } else {
      if (this.#clock.now() - this.#openedMs >= RETRY.maxMs) this.#backoff.reset();
      this.#after(this.#backoff.next(), () => this.#open());
      // A host that drains says that it is not serving and ends the stream: its last word holds until it is asked again.
      if (this.#heard && this.#told === false) return;
    }
    this.#tell(undefined);
  }

  /** Last of all in its caller: the listener may close. */
  #tell(serving: boolean | undefined): void {
    if (serving === this.#told) return;
    this.#told = serving;
    this.#listener(serving);
  }

  /** One timer: a watch waits for its next try. */
  #after(ms: number, run: () => void): void {
    this.#stopTimer();
    this.#stopTimer = this.#clock.after(ms, run, { background: true });
  }
}

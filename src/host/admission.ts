import { type Invocation, isSequence, PRIORITY_KEY, type Priority } from "../core/invocation.js";
import type { Clock, Random } from "../core/ports.js";
import { reasonNotToBegin } from "../core/reason-not-to-begin.js";
import { retryAfter } from "../core/retry-after.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { Place, Places } from "../lane/lane-pool.js";
import { CompletionRate } from "./completion-rate.js";
import { RateLimit } from "./rate-limit.js";
import { type WaitingCall, WaitingLine } from "./waiting-line.js";

/** How much a host takes on; can be changed while it runs. */
export interface AdmissionLimits {
  /** Calls that may wait, of both priorities together; 0 for no queue. */
  readonly maxQueueLength: number;
  /** Bytes that waiting calls may hold. */
  readonly maxQueueBytes: number;
  /** Calls let in a second, see {@link RateLimit}; 0 for no limit. */
  readonly requestsPerSecond: number;
}

/** What an admission works with. */
export interface AdmissionPorts {
  readonly clock: Clock;
  /** Spreads the times at which refused callers come back. */
  readonly random: Random;
  /** Told of every call that gets a place, and how long it waited for it: 0 when it did not. */
  readonly onAdmitted?: (invocation: Invocation, waitedMs: number) => void;
}

/** When a caller should come back to a host that has no lane. */
const NOT_READY_RETRY_MS = 1_000;

/** When a caller should come back to a full queue; `unknown` until a call has ended. */
const queueRetryMs: Readonly<Record<"least" | "most" | "unknown", number>> = {
  least: 10,
  most: 5_000,
  unknown: 1_000,
};

/** How far the time until a full queue is tried again is spread to both sides. */
const SPREAD = 0.2;

/**
 * Lets calls in while there are places for them. The rest waits, a bounded number of calls and bytes: those of high
 * priority are let in before all normal ones, otherwise in order of arrival. When the queue is full a high one takes the
 * place of the youngest normal ones. Whoever is refused is told at once, and when to come back.
 */
export class Admission {
  readonly #places: Places;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onAdmitted: AdmissionPorts["onAdmitted"];
  readonly #high = new WaitingLine();
  readonly #normal = new WaitingLine();
  readonly #rate: RateLimit;
  readonly #completions = new CompletionRate();
  readonly #idle = new Set<() => void>();
  #maxQueueLength: number;
  #maxQueueBytes: number;

  constructor(limits: AdmissionLimits, places: Places, ports: AdmissionPorts) {
    this.#places = places;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#onAdmitted = ports.onAdmitted;
    this.#rate = new RateLimit(limits.requestsPerSecond, ports.clock);
    this.#maxQueueLength = limits.maxQueueLength;
    this.#maxQueueBytes = limits.maxQueueBytes;
    places.onFree(() => this.#letIn());
  }

  /** Calls that hold a place. */
  get running(): number {
    return this.#places.running;
  }

  /** Calls that wait for one. */
  get queueLength(): number {
    return this.#high.length + this.#normal.length;
  }

  /** What those that wait hold. */
  get queueBytes(): number {
    return this.#high.bytes + this.#normal.bytes;
  }

  /** Changes limits, those that are given; nobody who waits is thrown out by it. */
  setLimits(limits: Partial<AdmissionLimits>): void {
    this.#maxQueueLength = limits.maxQueueLength ?? this.#maxQueueLength;
    this.#maxQueueBytes = limits.maxQueueBytes ?? this.#maxQueueBytes;
    if (limits.requestsPerSecond !== undefined) this.#rate.setRate(limits.requestsPerSecond);
  }

  /** Resolves when nothing runs; at once when nothing does. */
  idle(): Promise<void> {
    if (this.#places.running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.add(resolve);
    });
  }

  /**
   * Why a call whose body is not known yet would be refused if it came in now; undefined when it might come in. Changes nothing.
   *
   * @param bodiesAhead - Bodies that wait to be decompressed before its own, of which as many may as there are places free and
   * in the queue; left out when its own has not to wait.
   */
  refusal(invocation: Invocation, bodiesAhead?: number): ServingError | undefined {
    const over = reasonNotToBegin(invocation, this.#clock) ?? this.#overRate(invocation);
    if (over !== undefined) return over;
    if (!this.#places.hopeful) return notReady();
    const { free } = this.#places;
    const most = this.#maxQueueLength + free;
    if (bodiesAhead !== undefined && bodiesAhead >= most) {
      return this.#queueFull(
        `${bodiesAhead} bodies wait to be decompressed, at most ${most} may wait`,
        bodiesAhead,
      );
    }
    if (free > 0 && this.#mayPass(invocation)) return undefined;
    return this.#noRoom(priorityOf(invocation), 0);
  }

  /**
   * Gives a place at once, or when there is one; it goes back by {@link leave}. Who had to wait asks
   * {@link reasonNotToBegin} again before the work begins.
   *
   * @throws the invocation's abort reason when it is given up before or while it waits; CallError `DEADLINE_EXCEEDED`
   * when its time is over; HostError `RATE_LIMITED`, `QUEUE_FULL` or `NOT_READY`, with the time to come back after.
   */
  enter(invocation: Invocation): Place | Promise<Place> {
    const over = reasonNotToBegin(invocation, this.#clock) ?? this.#overRate(invocation);
    if (over !== undefined) throw over;
    const place = this.#mayPass(invocation) ? this.#places.take() : undefined;
    if (place === undefined) return this.#wait(invocation);
    this.#rate.take();
    this.#admitted(invocation, 0);
    return place;
  }

  /** Takes a place back; once, when the call and all pieces of its answer are over. */
  leave(place: Place): void {
    this.#completions.completed(this.#clock.now());
    place.release();
    if (this.#places.running > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  // The priority is looked up only where it matters: nobody else waits when most calls come.
  #overRate(invocation: Invocation): ServingError | undefined {
    let waitMs = this.#rate.waitMs("normal");
    if (waitMs > 0 && priorityOf(invocation) === "high") waitMs = this.#rate.waitMs("high");
    if (waitMs === 0) return undefined;
    return servingError(
      "RATE_LIMITED",
      "more calls a second came than the host lets in",
      retryAfter(Math.ceil(waitMs)),
    );
  }

  #mayPass(invocation: Invocation): boolean {
    if (this.#high.length > 0) return false;
    return this.#normal.length === 0 || priorityOf(invocation) === "high";
  }

  #wait(invocation: Invocation): Promise<Place> {
    if (!this.#places.hopeful) {
      this.#refuseAll();
      throw notReady();
    }
    const { payloads } = invocation;
    const bytes = isSequence(payloads) ? 0 : payloads.byteLength;
    const priority = priorityOf(invocation);
    const line = priority === "high" ? this.#high : this.#normal;
    this.#makeRoom(priority, bytes);
    this.#rate.take();
    return new Promise((resolve, reject) => {
      const leaveLine = (): void => {
        line.remove(waiting);
        stopListening();
      };
      const waiting: WaitingCall = {
        invocation,
        bytes,
        sinceMs: this.#clock.now(),
        letIn(place) {
          leaveLine();
          resolve(place);
        },
        refuse(reason) {
          leaveLine();
          reject(reason);
        },
        older: undefined,
        younger: undefined,
      };
      line.add(waiting);
      const stopListening = invocation.abort.onAbort((reason) => waiting.refuse(reason));
    });
  }

  #makeRoom(priority: Priority, bytes: number): void {
    const full = this.#noRoom(priority, bytes);
    if (full !== undefined) throw full;
    if (priority === "high") this.#evict(bytes);
  }

  #noRoom(priority: Priority, bytes: number): ServingError | undefined {
    const isHigh = priority === "high";
    const length = isHigh ? this.#high.length : this.queueLength;
    const held = isHigh ? this.#high.bytes : this.queueBytes;
    const waiting = isHigh ? "waiting calls of high priority" : "waiting calls";
    if (length >= this.#maxQueueLength) {
      return this.#queueFull(`${length} ${waiting}, at most ${this.#maxQueueLength} may wait`);
    }
    if (held + bytes > this.#maxQueueBytes) {
      return this.#queueFull(
        `${waiting} hold ${held} bytes, this one has ${bytes}, at most ${this.#maxQueueBytes} may be held`,
      );
    }
    return undefined;
  }

  /** Refuses as many of the youngest normal calls as stand in the way of a high one. */
  #evict(bytes: number): void {
    // A queue that is over its bound because the bound was lowered stays as it is: one goes for one that comes.
    const mostCalls = Math.max(this.#maxQueueLength, this.queueLength);
    const mostBytes = Math.max(this.#maxQueueBytes, this.queueBytes);
    while (this.queueLength >= mostCalls || this.queueBytes + bytes > mostBytes) {
      const { youngest } = this.#normal;
      if (youngest === undefined) return;
      this.#takeBack(
        youngest,
        this.#queueFull("a call of high priority took the place of this one"),
      );
    }
  }

  #queueFull(message: string, waiting = this.queueLength): ServingError {
    const half = Math.ceil(waiting / 2);
    const estimate = this.#completions.msFor(Math.max(1, half)) ?? queueRetryMs.unknown;
    // Bounded before it is spread, or all callers of a slow host would come back in step at the bound.
    const least = queueRetryMs.least / (1 - SPREAD);
    const most = queueRetryMs.most / (1 + SPREAD);
    const spread = 1 - SPREAD + 2 * SPREAD * this.#random();
    const ms = Math.min(Math.max(estimate, least), most) * spread;
    return servingError("QUEUE_FULL", message, retryAfter(Math.round(ms)));
  }

  #letIn(): void {
    for (;;) {
      const next = this.#high.oldest ?? this.#normal.oldest;
      if (next === undefined) return;
      const over = reasonNotToBegin(next.invocation, this.#clock);
      const place = over === undefined ? this.#places.take() : undefined;
      if (over !== undefined) next.refuse(over);
      else if (place !== undefined) {
        next.letIn(place);
        this.#admitted(next.invocation, this.#clock.now() - next.sinceMs);
      } else {
        if (!this.#places.hopeful) this.#refuseAll();
        return;
      }
    }
  }

  #admitted(invocation: Invocation, waitedMs: number): void {
    if (this.#places.running === 1) this.#completions.busy(this.#clock.now());
    this.#onAdmitted?.(invocation, waitedMs);
  }

  #refuseAll(): void {
    for (;;) {
      const next = this.#high.oldest ?? this.#normal.oldest;
      if (next === undefined) return;
      this.#takeBack(next, notReady());
    }
  }

  /** Refuses a call that had been let into the queue. */
  #takeBack(waiting: WaitingCall, reason: ServingError): void {
    waiting.refuse(reason);
    this.#rate.giveBack();
  }
}

/** The refusal of a host that can run nothing for now. */
export function notReady(): ServingError {
  return servingError("NOT_READY", "the host is not ready", retryAfter(NOT_READY_RETRY_MS));
}

function priorityOf({ handler, metadata }: Invocation): Priority {
  return handler === "function" || metadata.get(PRIORITY_KEY) === "high" ? "high" : "normal";
}

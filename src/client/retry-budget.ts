import type { Clock } from "../core/ports.js";

/** Most retries that can be saved up. */
const CAPACITY = 100;

/** Retries a second that are allowed however few calls there are, so that a quiet client may retry too. */
const MINIMUM_PER_SECOND = 10;

/**
 * Keeps retries from multiplying the load on a service that is in trouble: every call adds a part of a retry, every retry
 * takes one.
 *
 * In the long run there are at most `ratio` retries a call, plus ten a second; a burst of 100 is possible after a quiet
 * time, such as when an instance with many calls under way dies.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #clock: Clock;
  #tokens = CAPACITY;
  #filledMs: number;

  constructor(ratio: number, clock: Clock) {
    this.#ratio = ratio;
    this.#clock = clock;
    this.#filledMs = clock.now();
  }

  /** A call begins. */
  deposit(): void {
    this.#tokens += this.#ratio;
    if (this.#tokens > CAPACITY) this.#tokens = CAPACITY;
  }

  /** Takes one retry, if there is one. */
  withdraw(): boolean {
    const now = this.#clock.now();
    const earned = ((now - this.#filledMs) * MINIMUM_PER_SECOND) / 1_000;
    this.#tokens = Math.min(CAPACITY, this.#tokens + earned);
    this.#filledMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

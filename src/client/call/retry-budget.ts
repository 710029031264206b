import type { Clock } from "../../core/ports.js";

/** What can be saved up at most. */
const CAPACITY = 100;

/** What there is to begin with, and what a quiet client gets back to by itself. */
const START = 10;

/**
 * What comes by itself, a second, and only up to `START`. It is for clients that make too few calls to earn anything: after a
 * bad time they have their start back within a quarter of an hour. It is so little because successes are the only
 * proof that a service can bear more: when everything fails, a client with a call in ten seconds or more stays within 1.1
 * attempts a call, and ten thousand clients make a hundred attempts a second more than calls, whatever the load.
 */
const BY_ITSELF_PER_SECOND = 0.01;

/**
 * Keeps retries and hedges from multiplying the load on a service that is in trouble: every call that succeeds adds a part
 * of an attempt, every further attempt takes a whole one.
 *
 * When everything fails nothing is added, so what was saved up is all there is, and calls get one attempt each.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledMs: number;
  #refused = 0;

  /** @param ratio - what a success adds; with 0 there is never anything to take */
  constructor(ratio: number, clock: Clock) {
    this.#ratio = ratio;
    this.#clock = clock;
    this.#tokens = ratio === 0 ? 0 : START;
    this.#filledMs = clock.now();
  }

  /** How many attempts could be taken now. */
  get left(): number {
    this.#fillByItself();
    return Math.floor(this.#tokens);
  }

  /** How many were refused for want of them. */
  get refused(): number {
    return this.#refused;
  }

  /** A call has succeeded. */
  deposit(): void {
    this.#tokens += this.#ratio;
    if (this.#tokens > CAPACITY) this.#tokens = CAPACITY;
  }

  /** Takes one attempt, if there is one. */
  withdraw(): boolean {
    this.#fillByItself();
    if (this.#tokens < 1) {
      this.#refused++;
      return false;
    }
    this.#tokens--;
    return true;
  }

  /** What was taken has not been used after all. */
  giveBack(): void {
    this.#tokens = Math.min(CAPACITY, this.#tokens + 1);
  }

  #fillByItself(): void {
    const now = this.#clock.now();
    const earned = ((now - this.#filledMs) * BY_ITSELF_PER_SECOND) / 1_000;
    this.#filledMs = now;
    if (this.#ratio === 0 || this.#tokens >= START) return;
    this.#tokens = Math.min(START, this.#tokens + earned);
  }
}

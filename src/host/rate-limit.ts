import type { Priority } from "../core/invocation.js";
import type { Clock } from "../core/ports.js";

/** What rounding may take from a token: a caller that comes back when it was told to finds one. */
const ROUNDING = 1e-9;

/**
 * A bucket of tokens, one for each call. It holds one second's worth, at least one token, so that after a quiet time so
 * many calls come in at once; it is filled when it is looked at, with no timer. A tenth of it, at least one token where it
 * holds two or more, is kept for calls of high priority: normal ones come in only while more than that is left. In the
 * long run the calls of both together come in at the rate.
 */
export class RateLimit {
  readonly #clock: Clock;
  #perSecond: number;
  #tokens: number;
  #filledMs: number;

  /** @param perSecond - Calls a second, fractions allowed; 0 for no limit. */
  constructor(perSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = this.#capacity;
    this.#filledMs = clock.now();
  }

  /** Changes the rate; what is in the bucket stays, as far as it still fits. A limit that was off begins with a full one. */
  setRate(perSecond: number): void {
    const wasOff = this.#perSecond === 0;
    this.#fill();
    this.#perSecond = perSecond;
    this.#tokens = wasOff ? this.#capacity : Math.min(this.#tokens, this.#capacity);
  }

  /** Milliseconds until there is a token for a call of that priority; 0 when there is one, or no limit. */
  waitMs(priority: Priority): number {
    if (this.#perSecond === 0) return 0;
    this.#fill();
    const missing = 1 + (priority === "high" ? 0 : this.#reserved) - this.#tokens;
    return missing <= ROUNDING ? 0 : (missing / this.#perSecond) * 1_000;
  }

  /** Takes the token of a call that is let in. */
  take(): void {
    if (this.#perSecond !== 0) this.#tokens--;
  }

  /** Puts the token of a call back that was let in and refused later. */
  giveBack(): void {
    this.#tokens = Math.min(this.#tokens + 1, this.#capacity);
  }

  get #capacity(): number {
    return Math.max(1, this.#perSecond);
  }

  get #reserved(): number {
    return this.#capacity < 2 ? 0 : Math.max(1, Math.floor(this.#capacity / 10));
  }

  #fill(): void {
    const now = this.#clock.now();
    const earned = ((now - this.#filledMs) * this.#perSecond) / 1_000;
    this.#tokens = Math.min(this.#tokens + earned, this.#capacity);
    this.#filledMs = now;
  }
}

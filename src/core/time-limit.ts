import type { CancelTimer, Clock } from "./ports.js";

/** Something that may not take longer than a limit. */
export interface TimeLimited {
  /** The limit has passed; called once, after the thing has been taken out. */
  outOfTime(): void;
}

/**
 * One time limit for many things: since all have the same, they run out in the order in which they began, and one timer
 * for the oldest does for all of them. Beginning and ending cost a map's insertion and deletion; a timer for each would
 * cost more than all else that a small call needs.
 */
export class TimeLimit {
  readonly ms: number;
  readonly #clock: Clock;
  readonly #since = new Map<TimeLimited, number>();
  #cancelTimer: CancelTimer | undefined;

  /** @param ms - The limit in milliseconds; Infinity for none. */
  constructor(ms: number, clock: Clock) {
    this.ms = ms;
    this.#clock = clock;
  }

  /** The thing begins now; also again, but not before it has ended. */
  begin(thing: TimeLimited): void {
    if (this.ms === Number.POSITIVE_INFINITY) return;
    this.#since.set(thing, this.#clock.now());
    this.#cancelTimer ??= this.#fireAfter(this.ms);
  }

  /** The thing has ended; nothing happens when it had not begun, or has run out. */
  end(thing: TimeLimited): void {
    this.#since.delete(thing);
  }

  /** Forgets everything. */
  close(): void {
    this.#since.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #fireAfter(ms: number): CancelTimer {
    return this.#clock.after(ms, () => this.#fire(), { background: true });
  }

  #fire(): void {
    // Until the end the timer counts as set: what begins again from inside is looked at in this very loop.
    let nextMs: number | undefined;
    try {
      for (const [thing, since] of this.#since) {
        const leftMs = since + this.ms - this.#clock.now();
        if (leftMs > 0) {
          nextMs = leftMs;
          break;
        }
        this.#since.delete(thing);
        thing.outOfTime();
      }
    } finally {
      this.#cancelTimer = nextMs === undefined ? undefined : this.#fireAfter(nextMs);
    }
  }
}

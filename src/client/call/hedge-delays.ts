import type { Clock } from "../../core/ports.js";
import { TimeLimit } from "../../core/time-limit.js";

/** The delays of a channel's hedges: calls with the same one share a timer, since most of them are answered before. */
export class HedgeDelays {
  readonly #clock: Clock;
  /** By milliseconds; as many as methods say, at most. */
  readonly #delays = new Map<number, TimeLimit>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The delay of so many milliseconds. */
  of(ms: number): TimeLimit {
    const known = this.#delays.get(ms);
    if (known !== undefined) return known;
    const delay = new TimeLimit(ms, this.#clock);
    this.#delays.set(ms, delay);
    return delay;
  }

  /** Stops all timers. */
  close(): void {
    for (const delay of this.#delays.values()) delay.close();
  }
}

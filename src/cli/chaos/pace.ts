import type { Clock } from "../../core/ports.js";
import { servingError } from "../../core/serving-error.js";

const LOOK_EVERY_MS = 2;

/** The time of a run: whoever waits by it is told when the run ends early. */
export class Pace {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock, signal: AbortSignal) {
    this.clock = clock;
    this.signal = signal;
    const end = (): void => {
      for (const giveUp of [...this.#waiting]) giveUp();
    };
    signal.addEventListener("abort", end, { once: true });
  }

  /** The clock's time, in milliseconds. */
  now(): number {
    return this.clock.now();
  }

  /**
   * Goes on only while the run does.
   *
   * @throws CallError `CANCELLED` when it has been ended.
   */
  check(): void {
    if (this.signal.aborted) throw servingError("CANCELLED", "the run was ended");
  }

  /**
   * Waits so many milliseconds.
   *
   * @throws CallError `CANCELLED` as soon as the run is ended.
   */
  async wait(ms: number): Promise<void> {
    this.check();
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        cancelTimer();
        this.#waiting.delete(settle);
        resolve();
      };
      const cancelTimer = this.clock.after(ms, settle);
      this.#waiting.add(settle);
    });
    this.check();
  }

  /**
   * Waits until something holds; tells whether it did in time.
   *
   * @throws CallError `CANCELLED` as soon as the run is ended.
   */
  async until(
    holds: () => boolean,
    timeoutMs: number,
    everyMs: number = LOOK_EVERY_MS,
  ): Promise<boolean> {
    const giveUpMs = this.now() + timeoutMs;
    while (!holds()) {
      if (this.now() > giveUpMs) return false;
      await this.wait(everyMs);
    }
    return true;
  }
}

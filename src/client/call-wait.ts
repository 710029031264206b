import type { Clock } from "../core/ports.js";

/** Lets a call wait for one thing at a time, within a limit; a call that waits keeps the process alive. */
export class CallWait {
  readonly #clock: Clock;
  #stop: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits until `expired` or, if `subscribe` hands out a wake-up, `woken` is called; only one of them, once.
   *
   * @returns tells whether this very wait still goes on
   */
  begin(
    ms: number,
    expired: () => void,
    subscribe?: (wake: () => void) => () => void,
    woken?: () => void,
  ): () => boolean {
    const stopTimer = this.#clock.after(ms, () => {
      this.end();
      expired();
    });
    const unsubscribe = subscribe?.(() => {
      this.end();
      woken?.();
    });
    const stop = (): void => {
      stopTimer();
      unsubscribe?.();
    };
    this.#stop = stop;
    return () => this.#stop === stop;
  }

  /** Ends the wait, if there is one, without a word. */
  end(): void {
    const stop = this.#stop;
    this.#stop = undefined;
    stop?.();
  }
}

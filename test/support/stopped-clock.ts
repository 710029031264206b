import type { CancelTimer } from "../../src/core/ports.js";
import { createFakeClock, type FakeClock } from "./fake-clock.js";

/** A clock of a process that can be stopped. */
export interface StoppedClock extends FakeClock {
  /** Lets time go on while no timer runs; what came due meanwhile runs, too late, when time is moved on. */
  stop(ms: number): void;
}

/** Makes a clock that stands still until a test moves it. */
export function createStoppedClock(): StoppedClock {
  const clock = createFakeClock();
  const resets = new Set<() => void>();
  let stoppedMs = 0;
  const now = (): number => clock.now() + stoppedMs;
  return {
    ...clock,
    now,
    after(ms, run, options) {
      const dueMs = now() + ms;
      let cancelTimer: CancelTimer;
      const set = (): void => {
        cancelTimer = clock.after(
          dueMs - now(),
          () => {
            resets.delete(reset);
            run();
          },
          options,
        );
      };
      const reset = (): void => {
        cancelTimer();
        set();
      };
      set();
      resets.add(reset);
      return () => {
        resets.delete(reset);
        cancelTimer();
      };
    },
    stop(ms) {
      stoppedMs += ms;
      for (const reset of [...resets]) reset();
    },
  };
}

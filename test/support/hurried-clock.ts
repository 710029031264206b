import { type Clock, systemClock } from "../../src/core/ports.js";

/** How much faster a hurried clock's timers are. */
const HURRY = 20;

/** A clock that counts its timers. */
export interface HurriedClock extends Clock {
  /** Timers that have neither run nor been taken back. */
  readonly pending: number;
}

/** Makes a clock whose timers run 20 times as soon, so that a test over real sockets can see a limit of seconds pass. */
export function createHurriedClock(): HurriedClock {
  let pending = 0;
  return {
    get pending() {
      return pending;
    },
    now: () => systemClock.now(),
    after(ms, run, options) {
      let over = false;
      const end = (): boolean => {
        if (over) return false;
        over = true;
        pending -= 1;
        return true;
      };
      pending += 1;
      const cancel = systemClock.after(ms / HURRY, () => end() && run(), options);
      return () => {
        if (end()) cancel();
      };
    },
  };
}

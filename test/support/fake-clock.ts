import type { CancelTimer, Clock, TimerOptions } from "../../src/core/ports.js";

/** A timer that has not run yet. */
interface PendingTimer {
  readonly dueMs: number;
  readonly background: boolean;
}

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms`, running every timer that comes due, in order of time, at its own moment; timers set on the
   * way run too when they come due. 0 runs what is due now.
   */
  advance(ms: number): void;
  /** As {@link advance}, but lets promise callbacks run before, between and after the timers. */
  settle(ms?: number): Promise<void>;
  /** Timers that have not run, in order of time. */
  pending(): readonly PendingTimer[];
}

interface Timer extends PendingTimer {
  readonly sequence: number;
  readonly run: () => void;
}

/** Lets everything run that waits on promises alone. */
export function flushPromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Makes a clock that starts at `startMs` (default 1,000,000) and moves only when told. */
export function createFakeClock(startMs = 1_000_000): FakeClock {
  let now = startMs;
  let sequence = 0;
  let timers: Timer[] = [];

  function runNext(untilMs: number): boolean {
    const [next] = timers;
    if (next === undefined || next.dueMs > untilMs) return false;
    timers.shift();
    now = Math.max(now, next.dueMs);
    next.run();
    return true;
  }

  return {
    now: () => now,
    after(ms: number, run: () => void, options?: TimerOptions): CancelTimer {
      const timer: Timer = {
        dueMs: now + Math.max(0, ms),
        background: options?.background === true,
        sequence: sequence++,
        run,
      };
      timers.push(timer);
      timers.sort((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const untilMs = now + ms;
      while (runNext(untilMs));
      now = untilMs;
    },
    async settle(ms = 0) {
      const untilMs = now + ms;
      await flushPromises();
      while (runNext(untilMs)) await flushPromises();
      now = untilMs;
      await flushPromises();
    },
    pending: () => timers.map(({ dueMs, background }) => ({ dueMs, background })),
  };
}

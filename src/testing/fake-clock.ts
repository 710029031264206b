import type { CancelTimer, Clock, TimerOptions } from "../core/ports.js";

/** A timer that has not run yet. */
export interface PendingTimer {
  /** When it runs, on the clock that it was set on. */
  readonly dueMs: number;
  /** Whether it would keep no process alive. */
  readonly background: boolean;
}

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms`, running every timer that comes due, in order of time, at its own moment; timers set on the
   * way run too when they come due. 0 runs what is due now.
   */
  advance(ms: number): void;
  /**
   * As {@link advance}, but lets promise callbacks and several turns of the event loop run before, between and after the
   * timers: enough for a call through a pair in memory to get where it waits for time.
   */
  settle(ms?: number): Promise<void>;
  /** Timers that have not run, in order of time. */
  pending(): readonly PendingTimer[];
}

/** Turns of the event loop between two timers: a call in memory and its answer take four, and one more a message. */
const TURNS = 8;

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

async function flushTurns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await flushPromises();
}

/**
 * Makes a clock that stands still until a test moves it: time for `createMemoryPair`, and for whatever of the user's own takes
 * its time from a {@link Clock}.
 *
 * @param startMs - the time that it shows at first, in milliseconds
 * @example
 * ```ts
 * const clock = fakeClock();
 * await using pair = await createMemoryPair(new Slow(clock), { clock });
 * const answer = pair.client.predict({ data: Buffer.from("hi") }, { timeoutMs: 2_000 });
 * await Promise.all([clock.settle(2_000), expect(answer).rejects.toThrow("DEADLINE_EXCEEDED")]);
 * ```
 */
export function fakeClock(startMs = 1_000_000): FakeClock {
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
      await flushTurns();
      while (runNext(untilMs)) await flushTurns();
      now = untilMs;
      await flushTurns();
    },
    pending: () => timers.map(({ dueMs, background }) => ({ dueMs, background })),
  };
}

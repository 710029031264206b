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

/** From so many timers that were taken back on they are looked for. */
const SWEEP_FROM = 64;

interface Timer extends PendingTimer {
  readonly sequence: number;
  readonly run: () => void;
  cancelled: boolean;
}

function inOrder(a: Timer, b: Timer): number {
  return a.dueMs - b.dueMs || a.sequence - b.sequence;
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
  let cancelled = 0;
  /** A heap: a test may set very many. */
  let timers: Timer[] = [];

  function push(timer: Timer): void {
    let at = timers.length;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = timers[up];
      if (above === undefined || inOrder(above, timer) < 0) break;
      timers[at] = above;
      at = up;
    }
    timers[at] = timer;
  }

  /** Takes the first one out. */
  function shift(): void {
    const last = timers.pop();
    if (last === undefined || timers.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const one = timers[left];
      const other = timers[left + 1];
      const isOther = one !== undefined && other !== undefined && inOrder(other, one) < 0;
      const below = isOther ? other : one;
      if (below === undefined || inOrder(last, below) < 0) break;
      timers[at] = below;
      at = isOther ? left + 1 : left;
    }
    timers[at] = last;
  }

  /** Those that were taken back stay in the heap until their time, or until they are the greater part of it. */
  function sweep(): void {
    if (cancelled < SWEEP_FROM || 2 * cancelled < timers.length) return;
    timers = waiting();
    cancelled = 0;
  }

  /** In order, which is a heap too. */
  function waiting(): Timer[] {
    return timers.filter((timer) => !timer.cancelled).sort(inOrder);
  }

  /** @returns false when none is due */
  function runNext(untilMs: number): boolean {
    for (;;) {
      const next = timers[0];
      if (next === undefined || next.dueMs > untilMs) return false;
      shift();
      if (next.cancelled) {
        cancelled--;
        continue;
      }
      // It is over: to take it back now is nothing.
      next.cancelled = true;
      now = Math.max(now, next.dueMs);
      next.run();
      return true;
    }
  }

  return {
    now: () => now,
    after(ms: number, run: () => void, options?: TimerOptions): CancelTimer {
      const timer: Timer = {
        dueMs: now + Math.max(0, ms),
        background: options?.background === true,
        sequence: sequence++,
        run,
        cancelled: false,
      };
      push(timer);
      return () => {
        if (timer.cancelled) return;
        timer.cancelled = true;
        cancelled++;
        sweep();
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
    pending: () => waiting().map(({ dueMs, background }) => ({ dueMs, background })),
  };
}

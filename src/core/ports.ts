/** Takes a pending timer back; calling it again does nothing. */
export type CancelTimer = () => void;

/** How a timer treats the process: a background one does not keep it alive. */
export interface TimerOptions {
  readonly background?: boolean;
}

/** Time, injected wherever it matters so that tests need no sleep. */
export interface Clock {
  /** Milliseconds since 1970, never going backwards. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds; longer than 2^31 - 1 (24.8 days) counts as that. */
  after(ms: number, run: () => void, options?: TimerOptions): CancelTimer;
}

/** A number in [0, 1), as `Math.random` gives it. */
export type Random = () => number;

/** The part of pino's logger that the kit uses; any logger of this shape will do. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Longest time that one timer can count. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** The machine's own clock: monotonic, so that a step of the system's time ends no deadline and no lease. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, run, options) {
    const timer = setTimeout(run, Math.min(ms, LONGEST_TIMER_MS));
    if (options?.background === true) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Drops every line. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

import type { Random } from "./ports.js";

/** How waits between tries grow. */
export interface BackoffOptions {
  /** First wait, in milliseconds. */
  readonly initialMs: number;
  /** Longest wait, in milliseconds. */
  readonly maxMs: number;
  /** Growth from one wait to the next. */
  readonly factor?: number;
  /** Part of the wait that is drawn at random, 0 to 1: 0.2 gives 80 % to 120 %. */
  readonly jitter?: number;
}

/** Waits that grow with every failure and start over after a success. */
export interface Backoff {
  /** The wait before the next try, in milliseconds. */
  next(): number;
  /** A try succeeded. */
  reset(): void;
}

/** Makes a jittered exponential backoff; factor 1.6 and jitter 0.2 as in gRPC's connection backoff. */
export function createBackoff(options: BackoffOptions, random: Random): Backoff {
  const { initialMs, maxMs, factor = 1.6, jitter = 0.2 } = options;
  let current = initialMs;
  return {
    next() {
      const wait = current * (1 - jitter + 2 * jitter * random());
      current = Math.min(maxMs, current * factor);
      return wait;
    },
    reset() {
      current = initialMs;
    },
  };
}

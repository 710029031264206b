import type { Clock } from "../core/ports.js";

/** Turns moments of a clock into ones that every process of the machine understands, and back; Infinity stays. */
export interface SharedTime {
  /** From milliseconds of the own clock. */
  toShared(ms: number): number;
  /** To milliseconds of the own clock. */
  fromShared(ms: number): number;
}

/** Both clocks are read so often: a process that was put aside between two readings would keep the error for ever. */
const READINGS = 5;

/**
 * Makes the conversion for a clock. Shared moments are milliseconds of the machine's monotonic clock: that of
 * `performance` starts anew in each process and thread.
 */
export function sharedTime(clock: Clock, machineMs: () => number = monotonicMs): SharedTime {
  let offset = Number.NEGATIVE_INFINITY;
  for (let reading = 0; reading < READINGS; reading++) {
    // Whatever passes between the two makes the difference smaller: the largest is the nearest.
    const sharedMs = machineMs();
    offset = Math.max(offset, sharedMs - clock.now());
  }
  return { toShared: (ms) => ms + offset, fromShared: (ms) => ms - offset };
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

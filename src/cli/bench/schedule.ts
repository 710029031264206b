import type { Random } from "../../core/ports.js";

/** How starts of calls are spread: evenly, or as independent callers would (a Poisson process). */
export type Arrivals = "constant" | "poisson";

/**
 * Makes the times at which calls are meant to start, whatever becomes of the calls before them.
 *
 * @returns a function that gives the next time at each call, in milliseconds from the first moment on, never going backwards
 */
export function createSchedule(
  callsPerSecond: number,
  arrivals: Arrivals,
  random: Random,
): () => number {
  const gapMs = 1_000 / callsPerSecond;
  let given = 0;
  // Multiplied and not added up: a million additions would drift.
  if (arrivals === "constant") return () => given++ * gapMs;
  let atMs = 0;
  return () => {
    atMs += -Math.log(1 - random()) * gapMs;
    return atMs;
  };
}

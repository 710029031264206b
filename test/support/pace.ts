import { setTimeout as wait } from "node:timers/promises";
import { Pace } from "../../src/cli/chaos/pace.js";
import { systemClock } from "../../src/core/ports.js";

/** The machine's own time, of runs that nothing ends early. */
export const pace: Pace = new Pace(systemClock, new AbortController().signal);

/** Runs `work` again and again, so many at a time, until `more` says no; resolves when all have ended. */
export async function keepBusy(
  atATime: number,
  more: () => boolean,
  work: () => Promise<unknown>,
): Promise<void> {
  const worker = async (): Promise<void> => {
    while (more()) await work();
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

const TICK_MS = 2;

/**
 * Calls `begin` so many times a second, whatever becomes of the calls, until `more` says no. A tick that comes late makes
 * up for what it missed.
 */
export async function keepRate(
  perSecond: number,
  more: () => boolean,
  begin: () => void,
): Promise<void> {
  const startedMs = performance.now();
  for (let begun = 0; more(); await wait(TICK_MS)) {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1_000);
    for (; begun < due && more(); begun++) begin();
  }
}

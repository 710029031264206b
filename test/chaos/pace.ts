import { setTimeout as wait } from "node:timers/promises";

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

/** Waits until something holds; tells whether it did in time. */
export async function until(
  holds: () => boolean,
  timeoutMs: number,
  everyMs: number = TICK_MS,
): Promise<boolean> {
  const giveUpMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > giveUpMs) return false;
    await wait(everyMs);
  }
  return true;
}

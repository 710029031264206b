import { setTimeout as sleep } from "node:timers/promises";

/** Waits until something holds, looking every 10 ms; fails after `timeoutMs`. For tests over real sockets only. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${String(holds)}`);
    await sleep(10);
  }
}

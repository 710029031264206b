import type { Clock, Logger } from "../core/ports.js";

/** Shortest time between two lines, in milliseconds. */
const PAUSE_MS = 10_000;

/**
 * Makes what is called for every connection that a port refuses because too many are open: the first one is logged at
 * once, those that follow are counted and logged together, so that a flood of connections is no flood of lines.
 */
export function createDropLog(maxConnections: number, clock: Clock, logger: Logger): () => void {
  let refused = 0;
  let pausing = false;
  const say = (): void => {
    pausing = refused > 0;
    if (!pausing) return;
    logger.warn({ maxConnections, refused }, "connections refused: too many are open");
    refused = 0;
    clock.after(PAUSE_MS, say, { background: true });
  };
  return () => {
    refused++;
    if (!pausing) say();
  };
}

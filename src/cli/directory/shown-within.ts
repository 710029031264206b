import type { Clock } from "../../core/ports.js";
import { waitFor } from "../wait.js";

/** How long a replica of a directory may take to see what has been set at another one. */
export const SEEN_WITHIN_MS = 2_000;
const SEEN_POLL_MS = 100;

const neverAborted = new AbortController().signal;

/**
 * Looks again and again, {@link SEEN_WITHIN_MS} long at most, until something is there.
 *
 * @returns what was seen last
 */
export async function shownWithin<T>(
  look: () => Promise<T>,
  isThere: (seen: T) => boolean,
  clock: Clock,
): Promise<T> {
  const endMs = clock.now() + SEEN_WITHIN_MS;
  for (;;) {
    const seen = await look();
    if (isThere(seen) || clock.now() >= endMs) return seen;
    await waitFor(SEEN_POLL_MS, { clock, signal: neverAborted });
  }
}

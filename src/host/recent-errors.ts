import type { RecentError } from "../builtin/host-view.js";
import type { Clock } from "../core/ports.js";
import type { ServingError } from "../core/serving-error.js";
import type { CallListener } from "./call-metrics.js";

/** Keeps the last 100 calls that failed. */
export interface RecentErrors extends CallListener {
  /** Newest first. */
  list(): readonly RecentError[];
}

const KEPT = 100;

/** Longest text, in characters. */
const MAX_MESSAGE_LENGTH = 200;

/** Makes the ring of one host; what is kept does not grow. */
export function createRecentErrors(clock: Clock): RecentErrors {
  const ring: RecentError[] = [];
  let oldest = 0;
  return {
    everyCall: false,
    onEnd({ call: { door }, method, status, error }) {
      if (error === undefined) return;
      const { reason } = error;
      const entry = { atMs: clock.now(), door, method, status, reason, message: textOf(error) };
      if (ring.length < KEPT) {
        ring.push(entry);
        return;
      }
      ring[oldest] = entry;
      oldest = (oldest + 1) % KEPT;
    },
    list: () => [...ring.slice(oldest), ...ring.slice(0, oldest)].reverse(),
  };
}

/** What processors say themselves may hold what only its caller should see: the catalogue's words stand for it. */
function textOf({ entry, message }: ServingError): string {
  return entry.kind === "host" ? message.slice(0, MAX_MESSAGE_LENGTH) : entry.meaning;
}

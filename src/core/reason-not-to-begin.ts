import type { Invocation } from "./invocation.js";
import type { Clock } from "./ports.js";
import { type ServingError, servingError } from "./serving-error.js";

/** Why work may not begin for a call now: it was given up, or its time is over; undefined when it may. */
export function reasonNotToBegin(
  { abort, deadlineMs }: Invocation,
  clock: Clock,
): ServingError | undefined {
  if (abort.reason !== undefined) return abort.reason;
  // The timer that would give the call up may not have run yet.
  if (deadlineMs === Number.POSITIVE_INFINITY || clock.now() < deadlineMs) return undefined;
  return servingError("DEADLINE_EXCEEDED", "the call's time was over before its work began");
}

import type { TimeLimit } from "../../core/time-limit.js";
import type { CallStart } from "./call-start.js";

/**
 * After what time without an answer a call is sent to another instance as well; undefined for never, as it is for all that must
 * not be done twice, and for streams of either side.
 */
export function hedgeDelayOf({ core, method, extras }: CallStart): TimeLimit | undefined {
  const { hedgeDelayMs, requestStream, responseStream, idempotent } = method;
  if (hedgeDelayMs === Number.POSITIVE_INFINITY || requestStream || responseStream) {
    return undefined;
  }
  return (extras.idempotent ?? idempotent) ? core.hedgeDelays.of(hedgeDelayMs) : undefined;
}

import { hasAmbientHolder, runOnBehalfOf } from "../core/ambient-call.js";
import type { ProcessorCall } from "./processor-call.js";

/**
 * Runs code of the user's for a call: `process`, a handler, their middleware, and every pull of what they yield. All of
 * it runs in here, on behalf of that call, so that calls it makes itself can carry its trace on, and end with it.
 */
export function runUserCode<T>(call: ProcessorCall, run: () => T): T {
  return hasAmbientHolder() ? runOnBehalfOf(call.ambient, run) : run();
}

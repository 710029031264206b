import { type ServingError, servingError } from "./serving-error.js";

/** Refuses, or breaks off, what a host that stops no longer begins. */
export function hostStopping(): ServingError {
  return servingError("DRAINING", "the host is stopping");
}

/** Ends a call whose deadline, as its caller gave it, has passed. */
export function callTimeOver(): ServingError {
  return servingError("DEADLINE_EXCEEDED", "the call's time is over");
}

/** Ends a call that was in progress when the host had waited for it long enough. */
export function endedByStop(): ServingError {
  return servingError("ABORTED_BY_STOP", "the host stopped before the call ended");
}

import type { ServingError, ServingErrorOptions } from "./serving-error.js";

/** What an error is made with so that its caller is told when to come back, in milliseconds. */
export function retryAfter(ms: number): ServingErrorOptions {
  return { details: { retryAfterMs: ms } };
}

/** When an error tells its caller to come back: whole milliseconds, at least 1; undefined when it does not say. */
export function retryAfterMs(error: ServingError): number | undefined {
  const ms = error.details["retryAfterMs"];
  return typeof ms === "number" && Number.isFinite(ms) ? Math.max(1, Math.ceil(ms)) : undefined;
}

/** Reads HTTP's `Retry-After`, in milliseconds: whole seconds; a date is not worth a clock that may be wrong. */
export function retryAfterFromText(text = ""): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined;
}

import { PUSHBACK_TRAILER } from "../../core/trailers.js";
import type { AttemptEnd } from "../../transport/transport.js";

/** Largest number that a pushback may be. */
const LARGEST_MS = 2 ** 31 - 1;

/**
 * Reads when an instance says to come back, in milliseconds, or that nobody should; undefined when it says nothing. Negative,
 * not a whole number of 32 bits, or said more than once counts as "never".
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export function pushbackOf({ trailers, http }: AttemptEnd): number | "never" | undefined {
  if (http !== undefined) return http.retryAfterMs;
  if (trailers.get(PUSHBACK_TRAILER) === undefined) return undefined;
  const said = [...trailers.entries()].filter(([key]) => key === PUSHBACK_TRAILER);
  const text = said.length === 1 ? said[0]?.[1] : undefined;
  if (typeof text !== "string" || !/^(0|[1-9]\d{0,9})$/.test(text)) return "never";
  const ms = Number(text);
  return ms > LARGEST_MS ? "never" : ms;
}

/** Trailer that carries the catalogue's name of what happened. */
export const REASON_TRAILER = "inferwire-reason";

/**
 * Trailer that tells a caller when to come back to the same instance, in milliseconds, or (anything but a number from 0)
 * not to.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export const PUSHBACK_TRAILER = "grpc-retry-pushback-ms";

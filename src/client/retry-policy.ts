import { errorCatalog, type Reason } from "../core/error-catalog.js";
import { metadataText } from "../core/metadata.js";
import { Status } from "../core/status.js";
import { PUSHBACK_TRAILER } from "../core/trailers.js";
import type { AttemptEnd } from "../transport/transport.js";

/** First wait before an instance is tried again, in milliseconds; doubles with each attempt. */
const AGAIN_MS = 50;

/** What the decision about another attempt goes by. */
export interface FailedAttempt {
  readonly end: AttemptEnd;
  /** Attempts made so far that count, this one included. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Something was handed to the app, or the request was too large to be kept: another attempt is not possible. */
  readonly committed: boolean;
  /** Doing the work twice is harmless. */
  readonly idempotent: boolean;
  /** Milliseconds until the call's deadline. */
  readonly remainingMs: number;
  /** There is an instance that this call has not tried. */
  readonly otherInstance: boolean;
}

/** Whether to make another attempt. */
export interface RetryDecision {
  readonly retry: boolean;
  /** Milliseconds to wait before. */
  readonly delayMs: number;
  /** Whether it draws on the retry budget: what was never sent costs no server anything. */
  readonly budgeted: boolean;
  /** Whether the attempt that failed counts towards `maxAttempts`. */
  readonly counted: boolean;
}

const no: RetryDecision = { retry: false, delayMs: 0, budgeted: false, counted: true };

/**
 * Decides about another attempt after one that failed. It is made when nothing stands against it (committed, attempts used
 * up, deadline, the server's pushback) and it is safe: the call never left or was refused before any work, or the method
 * is idempotent and the instance was unavailable. Over HTTP, what was refused before any work is 450, and a 503 that says
 * so; an idempotent call is repeated after any 5xx, and no other 4xx ever is.
 *
 * An attempt that never left does not count as long as there is an instance that the call has not tried: otherwise a call
 * would fail on a few dead instances while others live. Each is tried once, so the list and the deadline bound it.
 * `maxAttempts` 1 still means that there is no other attempt whatever happens.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export function decideRetry(failed: FailedAttempt): RetryDecision {
  const { end, attempts, maxAttempts, committed, remainingMs, otherInstance } = failed;
  if (committed || maxAttempts === 1 || !isSafe(end, failed.idempotent)) return no;
  const neverSent = end.reason === "CONNECT_FAILED" && !end.remote;
  const counted = !(neverSent && otherInstance);
  if (counted && attempts >= maxAttempts) return no;
  const pushbackMs = pushback(end);
  if (pushbackMs === "never") return no;
  const againMs = pushbackMs ?? AGAIN_MS * 2 ** (attempts - 1);
  // The pushback speaks for the instance that sent it. A connection is waited for by the pool, with its own backoff.
  const delayMs = otherInstance || neverSent ? 0 : againMs;
  if (delayMs >= remainingMs) return no;
  return { retry: true, delayMs, budgeted: !neverSent, counted };
}

function isSafe({ reason, code, http }: AttemptEnd, idempotent: boolean): boolean {
  if (reason === undefined) return false;
  if (http !== undefined) return isSafeOverHttp(http.status, reason, idempotent);
  return errorCatalog[reason].safeToRepeat || (idempotent && code === Status.UNAVAILABLE);
}

/** A full queue is the one answer below 500 that another instance may answer better: EAS limits rates per service too. */
function isSafeOverHttp(status: number, reason: Reason, idempotent: boolean): boolean {
  if (status === 450) return true;
  if (status < 500) return false;
  return idempotent || (status === 503 && errorCatalog[reason].safeToRepeat);
}

function pushback({ trailers, http }: AttemptEnd): number | "never" | undefined {
  if (http !== undefined) return http.retryAfterMs;
  const text = metadataText(trailers, PUSHBACK_TRAILER);
  if (text === undefined) return undefined;
  return /^\d{1,9}$/.test(text) ? Number(text) : "never";
}

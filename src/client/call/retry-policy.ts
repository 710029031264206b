import { errorCatalog, type Reason } from "../../core/error-catalog.js";
import { Status } from "../../core/status.js";
import type { AttemptEnd } from "../../transport/transport.js";
import type { AttemptFate } from "../metrics/channel-metrics.js";
import { pushbackOf } from "./pushback.js";

/** First wait before an instance is tried again, in milliseconds; doubles with each attempt. */
const AGAIN_MS = 50;

/** Least wait before an instance is tried again, whatever it says, in milliseconds. */
const LEAST_AGAIN_MS = 10;

/** What the decision about another attempt goes by. */
export interface FailedAttempt {
  readonly end: AttemptEnd;
  /** Attempts made so far that count, this one and those under way included. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Something was handed to the app. */
  readonly answerBegun: boolean;
  /** The request is still there to be sent again. */
  readonly requestKept: boolean;
  /** Doing the work twice is harmless. */
  readonly idempotent: boolean;
  /** Milliseconds until the call's deadline. */
  readonly remainingMs: number;
  /** Milliseconds until those that the call has tried may be asked again. */
  readonly restMs: number;
  /** There is an instance that this call has not tried. */
  readonly otherInstance: boolean;
  /** Other attempts of the call are under way. */
  readonly othersUnderWay: boolean;
  /** An instance has said that there is to be no other attempt. */
  readonly forbidden: boolean;
}

/** Whether to make another attempt. */
export interface RetryDecision {
  readonly retry: boolean;
  /** What became of the attempt that failed, that is, why there is no other one. */
  readonly outcome: AttemptFate;
  /** Whether this failure is the call's end, even with other attempts under way. */
  readonly final: boolean;
  /** Milliseconds to wait before. */
  readonly delayMs: number;
  /** Milliseconds for which the instance that failed is not to be asked again. */
  readonly restMs: number;
  /** Whether it draws on the retry budget: what was never sent costs no server anything. */
  readonly budgeted: boolean;
  /** Whether the attempt that failed counts towards `maxAttempts`. */
  readonly counted: boolean;
}

/**
 * Decides about another attempt after one that failed. It is made when nothing stands against it (answer begun, attempts used
 * up, deadline, the server's pushback) and it is safe: the call never left or was refused before any work, or the method
 * is idempotent and the instance was unavailable. Over HTTP, what was refused before any work is 450, and a 503 that says
 * so; an idempotent call is repeated after any 5xx, and no other 4xx ever is.
 *
 * An attempt that never left does not count as long as there is an instance that the call has not tried: otherwise a call
 * would fail on a few dead instances while others live. Each is tried once, so the list and the deadline bound it.
 * `maxAttempts` 1 still means that there is no other attempt whatever happens.
 *
 * A pushback speaks for the instance that sent it: another one is tried at once, unless other attempts are under way and
 * may do.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export function decideRetry(failed: FailedAttempt): RetryDecision {
  const { end, attempts, maxAttempts, otherInstance, othersUnderWay } = failed;
  if (!isSafe(end, failed.idempotent)) return ended(unsafeOutcome(end));
  if (failed.answerBegun) return ended("answer-begun");
  if (!failed.requestKept) return ended("request-not-kept");
  const neverSent = end.reason === "CONNECT_FAILED" && !end.remote;
  const counted = !(neverSent && otherInstance);
  if (maxAttempts === 1 || (counted && attempts >= maxAttempts)) return none("attempts-used-up");
  const pushbackMs = pushbackOf(end);
  if (failed.forbidden || pushbackMs === "never") return none("server-said-no");
  const againMs = pushbackMs ?? AGAIN_MS * 2 ** (attempts - 1);
  // A connection is waited for by the pool, with its own backoff.
  const elsewhereMs = othersUnderWay && pushbackMs !== undefined ? pushbackMs : 0;
  const restMs = neverSent ? 0 : Math.max(LEAST_AGAIN_MS, againMs);
  const delayMs = otherInstance ? (neverSent ? 0 : elsewhereMs) : Math.max(restMs, failed.restMs);
  if (delayMs >= failed.remainingMs) return none("no-time-left");
  const budgeted = !neverSent;
  return { retry: true, outcome: "repeated", final: false, delayMs, restMs, budgeted, counted };
}

function ended(outcome: AttemptFate): RetryDecision {
  return { ...none(outcome), final: true };
}

function none(outcome: AttemptFate): RetryDecision {
  return {
    retry: false,
    outcome,
    final: false,
    delayMs: 0,
    restMs: 0,
    budgeted: false,
    counted: true,
  };
}

/** Who decided that there is no other attempt, when the failure itself forbids it. */
function unsafeOutcome(end: AttemptEnd): AttemptFate {
  if (end.remote) return isSafe(end, true) ? "not-safe-to-repeat" : "answered";
  return isGivenUp(end) ? "given-up" : "not-safe-to-repeat";
}

/** Whether this side has ended the attempt: the caller, the time limit, the end of the client. */
export function isGivenUp({ reason, remote }: AttemptEnd): boolean {
  if (remote) return false;
  return reason === "CANCELLED" || reason === "DEADLINE_EXCEEDED" || reason === "CLIENT_CLOSED";
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

import type { Reason } from "../../core/error-catalog.js";
import { Status } from "../../core/status.js";
import type { AttemptEnd } from "../../transport/transport.js";

/**
 * What the end of an attempt says of the instance: it answered (`good`), it is to blame (`bad`), it missed the deadline, which
 * is to its blame only if it had as long as it usually takes (`late`), it had not answered when this side gave the attempt up
 * (`given-up`), or nothing at all (`none`): the queue was full, the connection never came up (which the pool knows by itself).
 */
export type AttemptSign = "good" | "bad" | "late" | "given-up" | "none";

/**
 * By status, where the reason does not say more. What the caller did wrong is well answered; what an instance says of too
 * much load blames it no more than a full queue does.
 */
const ofStatus: Readonly<Record<Status, AttemptSign>> = {
  [Status.OK]: "good",
  // The instance's own caller, or its own shutdown; which one cannot be told.
  [Status.CANCELLED]: "none",
  [Status.UNKNOWN]: "bad",
  [Status.INVALID_ARGUMENT]: "good",
  [Status.DEADLINE_EXCEEDED]: "late",
  [Status.NOT_FOUND]: "good",
  [Status.ALREADY_EXISTS]: "good",
  [Status.PERMISSION_DENIED]: "good",
  [Status.RESOURCE_EXHAUSTED]: "none",
  [Status.FAILED_PRECONDITION]: "good",
  [Status.ABORTED]: "good",
  [Status.OUT_OF_RANGE]: "good",
  [Status.UNIMPLEMENTED]: "good",
  [Status.INTERNAL]: "bad",
  [Status.UNAVAILABLE]: "bad",
  [Status.DATA_LOSS]: "bad",
  [Status.UNAUTHENTICATED]: "good",
};

/**
 * Reasons that an instance names and that say more than the status. To take away an instance for being full or on its way
 * out would only fill the others; it says itself when to come back.
 */
const named: Readonly<Partial<Record<Reason, AttemptSign>>> = {
  QUEUE_FULL: "none",
  RATE_LIMITED: "none",
  DRAINING: "none",
  NOT_READY: "none",
  CALL_REFUSED: "none",
  ABORTED_BY_STOP: "none",
  // 400 on the door that speaks EAS.
  PROCESSOR_THREW: "bad",
  PROCESSOR_BAD_ANSWER: "bad",
  DEADLINE_EXCEEDED: "late",
};

/** What this side has seen itself; what is not here says nothing of the instance. */
const seenHere: Readonly<Partial<Record<Reason, AttemptSign>>> = {
  CONNECTION_LOST: "bad",
  ANSWER_MALFORMED: "bad",
  DEADLINE_EXCEEDED: "late",
  CANCELLED: "given-up",
};

/** Reads the end of an attempt as a sign of how its instance is. */
export function signOf({ code, reason, remote, http }: AttemptEnd): AttemptSign {
  if (reason === undefined) return "good";
  if (!remote) {
    // A stream that was reset: the code says for what.
    return reason === "CALL_FAILED" ? ofStatus[code] : (seenHere[reason] ?? "none");
  }
  // Statuses below 500 that gRPC has no word for count as UNKNOWN elsewhere; here they are answers.
  const answered = http !== undefined && http.status < 500;
  return named[reason] ?? (answered ? "good" : ofStatus[code]);
}

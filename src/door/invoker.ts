import type { DoorName, Invocation, Outcome } from "../core/invocation.js";
import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { TimeLimit } from "../core/time-limit.js";

/** Counts the calls of one method that came in by one door. */
export interface CallSeries {
  /** A call has been answered with `status`, `durationMs` after its headers arrived. */
  ended(status: string, durationMs: number): void;
}

/** What every door hands its calls to. */
export interface Invoker {
  readonly clock: Clock;
  /** The time of a call, from its headers to its answer; to the first piece where it is answered in pieces. */
  readonly requestTime: TimeLimit;
  /** The time between two pieces of an answer, whichever side is slow. */
  readonly pieceTime: TimeLimit;
  /**
   * Admits a call and runs it.
   *
   * @throws HostError when it is refused, or answers in pieces to a caller that takes none; the invocation's abort reason when it was given up while it waited; what the
   * lane throws.
   */
  invoke(invocation: Invocation): Promise<Outcome>;
  /** The counters of a method; asked for once a route, not once a call. */
  series(door: DoorName, method: string): CallSeries;
}

/** The error of an answer in pieces that made no progress. */
export function gapError(ms: number): ServingError {
  return servingError("DEADLINE_EXCEEDED", `nothing of the answer went out within ${ms} ms`);
}

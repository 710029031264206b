import type { CallError, CallReport } from "../core/serving-error.js";
import { attemptError } from "../transport/attempt-error.js";
import type { AttemptEnd } from "../transport/transport.js";

/** What a call that ended can say about itself. */
export interface EndedCall {
  readonly end: AttemptEnd | undefined;
  /** The error behind the end, such as why there is no list. */
  readonly cause: unknown;
  report(): CallReport;
}

/** Makes the error of a call that ended so, with everything that the call knows. */
export function endedCallError(
  path: string,
  call: Pick<EndedCall, "cause" | "report">,
  end: AttemptEnd,
): CallError {
  const report = call.report();
  const { attempts } = report;
  return attemptError(path, end, {
    instance: attempts[attempts.length - 1]?.instance,
    attempts: attempts.length,
    report,
    cause: call.cause,
  });
}

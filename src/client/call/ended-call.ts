import type { CallError, CallReport } from "../../core/serving-error.js";
import { attemptError } from "../../transport/attempt-error.js";
import type { AttemptEnd } from "../../transport/transport.js";

/** The call's own limit had nothing to do with it. */
const INHERITED_ADVICE =
  "it had what was left to the call that was being served: give that one more time, or call with detached";

/** What a call that ended can say about itself. */
export interface EndedCall {
  readonly end: AttemptEnd | undefined;
  /** The error behind the end, such as why there is no list. */
  readonly cause: unknown;
  /** Where the attempt was made that decided, or the latest one. */
  readonly instance: string | undefined;
  report(): CallReport;
}

/** Makes the error of a call that ended so, with everything that the call knows. */
export function endedCallError(
  path: string,
  call: Pick<EndedCall, "cause" | "instance" | "report">,
  end: AttemptEnd,
): CallError {
  const report = call.report();
  const inherited = end.reason === "DEADLINE_EXCEEDED" && !end.remote && report.inherited;
  return attemptError(path, end, {
    instance: call.instance,
    attempts: report.attempts.length,
    report,
    advice: inherited ? INHERITED_ADVICE : undefined,
    cause: call.cause,
  });
}

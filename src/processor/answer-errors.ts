import { ServerError } from "nice-grpc-common";
import type { Reason } from "../core/error-catalog.js";
import type { Invocation } from "../core/invocation.js";
import type { MetadataView } from "../core/metadata.js";
import {
  type CallError,
  isServingError,
  ProcessorError,
  type ServingError,
  servingError,
} from "../core/serving-error.js";
import { statusFromCode } from "../core/status.js";
import type { ProcessorCall } from "./processor-call.js";

/** How a lane treats what its processor throws. */
export interface ErrorPolicy {
  /** Whether callers see the texts of errors that the processor throws. */
  readonly exposeErrors: boolean;
}

/** What the runner itself refuses a call with; the processor has no part in it. */
const ownReasons: ReadonlySet<Reason> = new Set<Reason>([
  "MALFORMED_REQUEST",
  "STREAM_NEEDED",
  "UNKNOWN_FUNCTION",
  "UNKNOWN_ROUTE",
]);

/** The error that a caller gets for what the processor threw; logs what the caller is not shown. Never throws. */
export function processorError(
  thrown: unknown,
  call: ProcessorCall,
  invocation: Invocation,
  policy: ErrorPolicy,
): ServingError {
  try {
    return errorOf(thrown, call, invocation, policy);
  } catch {
    // Whatever can be thrown is thrown one day: a proxy, an object whose getters throw, one without a text.
    const name = handlerName(invocation);
    call.logger.error(
      { method: invocation.method },
      `${name} failed, with what cannot be told or logged`,
    );
    return servingError("PROCESSOR_THREW", `${name} threw`);
  }
}

function errorOf(
  thrown: unknown,
  call: ProcessorCall,
  invocation: Invocation,
  policy: ErrorPolicy,
): ServingError {
  const { reason } = invocation.abort;
  if (reason !== undefined && isEndOf(reason, thrown)) return reason;
  if (isOutOfInheritedTime(thrown)) {
    const text = "the time of the call was over in a call that it waited for";
    return servingError("DEADLINE_EXCEEDED", text, { cause: thrown });
  }
  if (isServingError(thrown) && ownReasons.has(thrown.reason)) return thrown;
  if (thrown instanceof ServerError) {
    return servingError("PROCESSOR_THREW", thrown.details, {
      cause: thrown,
      code: statusFromCode(thrown.code),
      details: { [DELIBERATE]: call.trailers },
    });
  }
  const name = handlerName(invocation);
  // With the call's request id, as the line of the failed call has it.
  call.logger.error({ err: thrown, method: invocation.method }, `${name} failed`);
  if (thrown instanceof ProcessorError) return thrown;
  const text = policy.exposeErrors ? `${name} threw: ${textOf(thrown)}` : `${name} threw`;
  return servingError("PROCESSOR_THREW", text, { cause: thrown });
}

/** What answers a call, as texts name it: `process()`, `/package.Service/Method`, `function "NAME"`. */
export function handlerName({ handler, method, path }: Invocation): string {
  switch (handler) {
    case "process":
      return "process()";
    case "rpc":
      return method;
    case "function":
      return `function ${JSON.stringify(path)}`;
  }
}

/** Whether that is thrown because the call was given up: its reason, or what a call that ended with it was ended with. */
function isEndOf(reason: ServingError, thrown: unknown): boolean {
  if (thrown === reason) return true;
  // What is thrown by whoever minds a signal without handing on its reason.
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.cause === reason);
}

/** Whether a call that was made on behalf of the one that is served has used up the time that it took over from it. */
function isOutOfInheritedTime(thrown: unknown): boolean {
  if (!isServingError(thrown) || thrown.reason !== "DEADLINE_EXCEEDED") return false;
  const { report } = thrown as Partial<CallError>;
  return report?.inherited === true;
}

/** Key of an error's details that marks it as thrown on purpose, with the trailers that the processor had set. */
const DELIBERATE = "trailers";

/** Tells whether an error is one that the processor threw on purpose, as a ServerError with its own status. */
export function isDeliberate(error: ServingError): boolean {
  return error.reason === "PROCESSOR_THREW" && DELIBERATE in error.details;
}

/** The trailers that a processor had set before it threw on purpose. */
export function deliberateTrailers(error: ServingError): MetadataView | undefined {
  return isDeliberate(error) ? (error.details[DELIBERATE] as MetadataView) : undefined;
}

/** The error of an answer that breaks its shape; `what` says who gave what, and what was expected. */
export function badAnswer(what: string, cause?: unknown): ServingError {
  return servingError("PROCESSOR_BAD_ANSWER", what, { cause });
}

/**
 * Names the kind of a value; never the value itself, nor its class: a wrong answer may still hold what only its caller
 * should see, and classes are the program's own affair.
 */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The text of whatever was thrown; of what has none, that it has none. */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return "something without a text";
  }
}

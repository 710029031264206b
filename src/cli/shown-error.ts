import { isServingError, ServingError } from "../core/serving-error.js";
import { errorJson } from "./error-json.js";
import { printableLine } from "./printable.js";

/** An error as machines and people get it. */
export interface ShownError {
  readonly value: object;
  readonly text: string;
}

/** Writes down whatever was thrown; with a stack trace only where `debug` asks for it. */
export function shownError(thrown: unknown, debug: boolean): ShownError {
  const error = ServingError.from(thrown);
  const { reason, message, entry } = error;
  const stack = debug && thrown instanceof Error ? `\n${traceOf(thrown)}` : "";
  // What nobody foresaw has no advice of its own but to look at it.
  const advice = isServingError(thrown)
    ? entry.advice
    : "add --debug for the stack trace, and report it";
  // The errors of calls say both already.
  const told = message.includes(reason) ? "" : ` (${reason}: ${advice})`;
  return { value: errorJson(error), text: `error: ${printableLine(message)}${told}${stack}` };
}

function traceOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${traceOf(error.cause)}` : "";
  const { message, stack = message } = error;
  return `${stack.replace(message, () => printableLine(message))}${cause}`;
}

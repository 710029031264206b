import { errorCatalog } from "../core/error-catalog.js";
import { CallError, type CallErrorOptions } from "../core/serving-error.js";
import { shownText } from "../core/shown-text.js";
import { statusName } from "../core/status.js";
import type { AttemptEnd } from "./transport.js";

/** How much of what an instance says an error's message shows, in characters. */
const SHOWN_CHARACTERS = 2_000;

/** What an error says besides how the attempt ended. */
export interface AttemptErrorOptions extends CallErrorOptions {
  /** How often the call was tried, when that is more than once. */
  readonly attempts?: number;
  /** What to do about it, where the reason's own advice is not it. */
  readonly advice?: string | undefined;
}

/**
 * Makes the error of an attempt that did not end with OK: status first, then method, instance, what was said and what to
 * do about it.
 */
export function attemptError(
  path: string,
  end: AttemptEnd,
  options: AttemptErrorOptions = {},
): CallError {
  const reason = end.reason ?? "CALL_FAILED";
  const where = options.instance === undefined ? "" : ` on ${options.instance}`;
  const tries = (options.attempts ?? 1) > 1 ? ` after ${options.attempts} attempts` : "";
  // Messages go to terminals and logs, where line feeds and escapes could pass for something else.
  const said = shownText(end.message, SHOWN_CHARACTERS) || errorCatalog[reason].meaning;
  return new CallError(
    reason,
    `${statusName(end.code)} (${reason}): ${path}${where}${tries}: ${said}; ${options.advice ?? errorCatalog[reason].advice}`,
    {
      ...options,
      code: end.code,
      remote: end.remote,
      trailer: end.trailers,
      httpStatus: end.http?.status,
      body: end.http?.body,
    },
  );
}

import { errorCatalog } from "../core/error-catalog.js";
import { CallError, type CallErrorOptions } from "../core/serving-error.js";
import { statusName } from "../core/status.js";
import type { AttemptEnd } from "./transport.js";

/** What an error says besides how the attempt ended. */
export interface AttemptErrorOptions extends CallErrorOptions {
  /** How often the call was tried, when that is more than once. */
  readonly attempts?: number;
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
  const said = end.message === "" ? errorCatalog[reason].meaning : end.message;
  return new CallError(
    reason,
    `${statusName(end.code)} (${reason}): ${path}${where}${tries}: ${said}; ${errorCatalog[reason].advice}`,
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

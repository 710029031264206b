import { servingError } from "../core/serving-error.js";
import type { FunctionCaller, HostView } from "./host-view.js";

/** Longest name of a function, in characters. */
export const MAX_FUNCTION_NAME_LENGTH = 128;

/**
 * Runs a function that the processor registered, in a lane, as a call of `process` would run.
 *
 * @param name - Null when the caller named none.
 * @throws HostError `MALFORMED_REQUEST` without a name, `UNKNOWN_FUNCTION`; what calls throw.
 */
export function callFunction(
  host: HostView,
  name: string | null,
  data: Uint8Array,
  caller: FunctionCaller,
): Promise<Uint8Array> {
  if (name === null || name === "" || name.length > MAX_FUNCTION_NAME_LENGTH) {
    const seen = name ? `has ${name.length} characters` : "is missing";
    throw servingError(
      "MALFORMED_REQUEST",
      `the function's name ${seen}, expected 1 to ${MAX_FUNCTION_NAME_LENGTH} characters`,
    );
  }
  return host.runFunction(name, data, caller);
}

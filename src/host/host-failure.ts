import type { Reason } from "../core/error-catalog.js";
import type { ServingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";

/** Codes by which a call fails by its caller's own doing. */
const callersCodes: ReadonlySet<Status> = new Set([
  Status.CANCELLED,
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.PERMISSION_DENIED,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
  Status.OUT_OF_RANGE,
  Status.UNIMPLEMENTED,
  Status.UNAUTHENTICATED,
]);

/** Reasons of which the code says less than is known; a host that stops in order has not failed. */
const knownBetter: Readonly<Partial<Record<Reason, boolean>>> = {
  DRAINING: false,
  MESSAGE_TOO_LARGE: false,
  HEADERS_TOO_LARGE: false,
  REQUEST_QUARANTINED: true,
};

/** Tells whether the host or the processor failed a call, not its caller by its own doing. */
export function isHostFailure({ reason, code }: ServingError): boolean {
  return knownBetter[reason] ?? !callersCodes.has(code);
}

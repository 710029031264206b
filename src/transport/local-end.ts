import { errorCatalog, type Reason } from "../core/error-catalog.js";
import { emptyMetadata } from "../core/metadata.js";
import { Status } from "../core/status.js";
import type { AttemptEnd } from "./transport.js";

/** An end that this side makes. */
export function localEnd(reason: Reason, message: string): AttemptEnd {
  const { code } = errorCatalog[reason];
  return { code, message, trailers: emptyMetadata, reason, remote: false };
}

/** The end of what its caller has given up, or cannot go on with. */
export function cancelledEnd(code: Status, message: string): AttemptEnd {
  const reason = code === Status.CANCELLED ? "CANCELLED" : "CALL_FAILED";
  return { ...localEnd(reason, message), code };
}

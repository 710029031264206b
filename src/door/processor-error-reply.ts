import type { ServingError } from "../core/serving-error.js";
import { httpFromStatus, statusName } from "../core/status.js";
import { isDeliberate } from "../processor/runner.js";
import type { HttpReply } from "../server/http.js";
import { errorReply } from "../server/http-errors.js";

/** How an error of a call looks over HTTP: what the processor threw on purpose has the HTTP status of its own status. */
export function processorErrorReply(error: ServingError): HttpReply {
  const reply = errorReply(error);
  if (!isDeliberate(error)) return reply;
  return { ...reply, status: httpFromStatus[statusName(error.code)] };
}

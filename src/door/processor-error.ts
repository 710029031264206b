import { type ServingError, servingError } from "../core/serving-error.js";
import { httpFromStatus, statusName } from "../core/status.js";
import { deliberateTrailers, isDeliberate } from "../processor/runner.js";
import type { HttpReply } from "../server/http.js";
import { errorReply } from "../server/http-errors.js";
import type { RpcStatus } from "../server/rpc.js";
import { rpcStatusOf } from "../server/rpc-errors.js";

/** How an error of a call looks over HTTP: what the processor threw on purpose has the HTTP status of its own status. */
export function processorErrorReply(error: ServingError): HttpReply {
  const reply = errorReply(toldError(error));
  if (!isDeliberate(error)) return reply;
  return { ...reply, status: httpFromStatus[statusName(error.code)] };
}

/** How it looks over gRPC and the protocols of the web: with the trailers of what the processor threw on purpose. */
export function processorErrorStatus(error: ServingError): RpcStatus {
  return rpcStatusOf(toldError(error), deliberateTrailers(error));
}

/**
 * The error as its caller is told it. What the processor threw on purpose is an answer of the service, about which the
 * kit's reason for the host's operator, and its advice, would mislead whoever called.
 */
function toldError(error: ServingError): ServingError {
  if (!isDeliberate(error)) return error;
  const { code, message, details } = error;
  return servingError("CALL_FAILED", message, { code, details });
}

import { type MetadataValue, type MetadataView, metadataOf } from "../core/metadata.js";
import { retryAfterMs } from "../core/retry-after.js";
import { isServingError, ServingError } from "../core/serving-error.js";
import { PUSHBACK_TRAILER, REASON_TRAILER } from "../core/trailers.js";
import type { RpcCall, RpcStatus } from "./rpc.js";

/** The status that an error has on gRPC, with the trailers that name its reason and, where it says so, when to come back. */
export function rpcStatusOf(error: ServingError, more?: MetadataView): RpcStatus {
  const trailers: (readonly [string, MetadataValue])[] = [[REASON_TRAILER, error.reason]];
  const pushbackMs = retryAfterMs(error);
  if (pushbackMs !== undefined) trailers.push([PUSHBACK_TRAILER, String(pushbackMs)]);
  if (more !== undefined) trailers.push(...more.entries());
  return { code: error.code, message: error.message, trailers: metadataOf(trailers) };
}

/** The status of whatever was thrown. */
export function rpcStatusFromThrown(thrown: unknown): RpcStatus {
  return rpcStatusOf(isServingError(thrown) ? thrown : ServingError.from(thrown));
}

/** Ends a call with whatever was thrown. */
export function endWithError(call: RpcCall, thrown: unknown): void {
  call.end(rpcStatusFromThrown(thrown));
}

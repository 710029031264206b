import { type MetadataValue, type MetadataView, metadataOf } from "../core/metadata.js";
import { isServingError, ServingError } from "../core/serving-error.js";
import { PUSHBACK_TRAILER, REASON_TRAILER } from "../core/trailers.js";
import type { RpcCall, RpcStatus } from "./rpc.js";

/** How long a caller leaves an instance alone whose queue was full. */
const PUSHBACK_MS = 1_000;

/** The status, with reason and pushback trailers, that an error has on gRPC. */
export function rpcStatusOf(error: ServingError, more?: MetadataView): RpcStatus {
  const trailers: (readonly [string, MetadataValue])[] = [[REASON_TRAILER, error.reason]];
  if (error.reason === "QUEUE_FULL") trailers.push([PUSHBACK_TRAILER, String(PUSHBACK_MS)]);
  if (more !== undefined) trailers.push(...more.entries());
  return { code: error.code, message: error.message, trailers: metadataOf(trailers) };
}

/** Ends a call with whatever was thrown. */
export function endWithError(call: RpcCall, thrown: unknown): void {
  call.end(rpcStatusOf(isServingError(thrown) ? thrown : ServingError.from(thrown)));
}

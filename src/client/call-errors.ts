import { ClientError } from "nice-grpc-common";
import { emptyMetadata } from "../core/metadata.js";
import type { CallError } from "../core/serving-error.js";
import { statusFromCode } from "../core/status.js";
import { attemptError } from "../transport/attempt-error.js";
import { type EndedCall, endedCallError } from "./call/ended-call.js";
import type { CallContext } from "./call-context.js";

/**
 * Turns what nice-grpc throws into what this kit throws.
 *
 * A ClientError becomes a CallError with everything that the call knows. Anything else stays as it is: the reason of an
 * aborted signal, and what an app's own middleware or request iterable throws.
 */
export function callErrorFrom(thrown: unknown, path: string, context: CallContext): unknown {
  if (!(thrown instanceof ClientError)) return thrown;
  const { call } = context;
  const end = call?.end;
  if (call === undefined || end === undefined || end.code !== statusFromCode(thrown.code)) {
    return strayError(thrown, path, call);
  }
  return endedCallError(path, call, end);
}

/** A ClientError that no call of the channel ended with: a middleware's, or an answer that is missing or cannot be decoded. */
function strayError(thrown: ClientError, path: string, call: EndedCall | undefined): CallError {
  const end = {
    code: statusFromCode(thrown.code),
    message: thrown.details,
    trailers: emptyMetadata,
    reason: "CALL_FAILED",
    remote: false,
  } as const;
  if (call === undefined) return attemptError(path, end, { cause: thrown });
  const { instance } = call;
  return endedCallError(path, { report: () => call.report(), instance, cause: thrown }, end);
}

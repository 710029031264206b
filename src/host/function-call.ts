import type { FunctionCaller } from "../builtin/host-view.js";
import { type Invocation, isSequence } from "../core/invocation.js";
import { abandonPieces } from "../core/pieces.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { TimeLimited } from "../core/time-limit.js";
import type { Invoker } from "../door/invoker.js";

/**
 * Runs a function that the processor registered, in a lane and under the limits of every call.
 *
 * @throws HostError `UNKNOWN_FUNCTION` and whatever refuses calls; the reason for which the call was given up.
 */
export async function runFunction(
  invoker: Invoker,
  name: string,
  data: Uint8Array,
  caller: FunctionCaller,
): Promise<Uint8Array> {
  const { abort, deadlineMs: callerDeadlineMs, door, metadata, peer } = caller;
  const { clock, requestTime } = invoker;
  const arrivedMs = clock.now();
  const invocation: Invocation = {
    door,
    handler: "function",
    service: "",
    method: "POST",
    path: name,
    query: "",
    metadata,
    peer,
    arrivedMs,
    deadlineMs: Math.min(callerDeadlineMs, arrivedMs + requestTime.ms),
    callerDeadlineMs,
    payloads: data,
    takesPieces: false,
    abort,
    giveUp: (reason) => abort.abort(reason),
  };
  const limit: TimeLimited = {
    outOfTime: () => abort.abort(lateError(requestTime.ms)),
  };
  requestTime.begin(limit);
  let takeBack = (): void => {};
  // Whoever waits is answered at once; the lane keeps its place until the function is done.
  const givenUp = new Promise<never>((_, reject) => {
    takeBack = abort.onAbort(reject);
  });
  try {
    return await Promise.race([answerOf(invoker, invocation), givenUp]);
  } finally {
    takeBack();
    requestTime.end(limit);
  }
}

async function answerOf(invoker: Invoker, invocation: Invocation): Promise<Uint8Array> {
  const { payloads } = await invoker.invoke(invocation);
  if (!isSequence(payloads)) return payloads;
  await abandonPieces(payloads);
  throw servingError("INTERNAL", "a function answered in pieces");
}

function lateError(ms: number): ServingError {
  return servingError("DEADLINE_EXCEEDED", `the call took longer than the host's ${ms} ms`);
}

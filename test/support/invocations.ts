import { CallAbort } from "../../src/core/call-abort.js";
import type { Invocation } from "../../src/core/invocation.js";
import { emptyMetadata } from "../../src/core/metadata.js";

/** An invocation of `process` by gRPC with one empty payload, or what `parts` make of it. */
export function invocationOf(parts: Partial<Invocation> = {}): Invocation {
  const abort = new CallAbort();
  return {
    door: "grpc",
    handler: "process",
    service: "",
    method: "/inferwire.predict.v1.PredictService/Predict",
    path: "",
    query: "",
    metadata: emptyMetadata,
    peer: "127.0.0.1:1",
    arrivedMs: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
    callerDeadlineMs: Number.POSITIVE_INFINITY,
    payloads: new Uint8Array(0),
    takesPieces: false,
    abort,
    giveUp: (reason) => abort.abort(reason),
    ...parts,
  };
}

/** One whose payload is two bytes, and whose answer may come in pieces. */
export function laneCall(parts: Partial<Invocation> = {}): Invocation {
  return invocationOf({ payloads: Buffer.from("hi"), takesPieces: true, ...parts });
}

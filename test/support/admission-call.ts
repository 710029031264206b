import { CallAbort } from "../../src/core/call-abort.js";
import type { Handler, Invocation, Payloads, Priority } from "../../src/core/invocation.js";
import { PRIORITY_KEY } from "../../src/core/invocation.js";
import { emptyMetadata, metadataOf } from "../../src/core/metadata.js";

/** What of a call matters to who lets it in. */
export interface CallTraits {
  readonly name?: string;
  readonly priority?: Priority;
  readonly handler?: Handler;
  readonly service?: string;
  /** Size of its one payload; 0 when left out. */
  readonly bytes?: number;
  readonly payloads?: Payloads;
  readonly deadlineMs?: number;
  readonly takesPieces?: boolean;
}

/** A call that no door brought; `path` is its name. */
export function admissionCall(traits: CallTraits = {}): Invocation {
  const abort = new CallAbort();
  const { priority } = traits;
  return {
    door: "eas",
    handler: traits.handler ?? "process",
    service: traits.service ?? "",
    method: "POST",
    path: traits.name ?? "",
    query: "",
    metadata: priority === undefined ? emptyMetadata : metadataOf({ [PRIORITY_KEY]: priority }),
    peer: "",
    arrivedMs: 0,
    deadlineMs: traits.deadlineMs ?? Number.POSITIVE_INFINITY,
    callerDeadlineMs: Number.POSITIVE_INFINITY,
    payloads: traits.payloads ?? new Uint8Array(traits.bytes ?? 0),
    takesPieces: traits.takesPieces ?? true,
    abort,
    giveUp: (reason) => abort.abort(reason),
  };
}

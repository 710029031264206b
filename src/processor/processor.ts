import type { CallContext } from "nice-grpc-common";
import type { DoorName } from "../core/invocation.js";
import type { Logger } from "../core/ports.js";

/**
 * What `process` returns: bytes, or bytes with a status. 0 and 200 are success; another status (200 to 599) is an answer
 * of the processor's own: the HTTP status of the reply, `status` beside the bytes over gRPC.
 */
export type Answer = Uint8Array | readonly [data: Uint8Array, status: number];

/** Kind of place where `process` runs. */
export type LaneKind = "inline";

/** One call as the processor sees it. */
export interface Call extends CallContext {
  /** Protocol the call came in by. */
  readonly door: DoorName;
  /** `/package.Service/Method`, or the HTTP verb. */
  readonly method: string;
  /** After `/api/predict/NAME`, else the whole path; what `PredictRequest.path` says over gRPC. */
  readonly path: string;
  /** Query of the HTTP request; empty over gRPC. */
  readonly query: URLSearchParams;
  /** Milliseconds left until the call's deadline; Infinity without one, never below 0. */
  remainingMs(): number;
  /** Writes lines that carry the call's request id. */
  readonly logger: Logger;
}

/** What `initialize` is told of the place it runs in. */
export interface ProcessorContext {
  /** The lane that is being initialised, out of `count`. */
  readonly lane: { readonly kind: LaneKind; readonly index: number; readonly count: number };
  /** Name of the service; empty when the host has none. */
  readonly service: string;
  readonly logger: Logger;
  /** Aborted when the host stops before `initialize` has ended. */
  readonly signal: AbortSignal;
}

/** The shape that the host needs of a processor, whatever class it is of. */
export interface ProcessorShape {
  /** Loads what `process` needs; once in each lane, before the host is ready. */
  initialize?(context: ProcessorContext): void | Promise<void>;
  /** Answers one call; calls overlap when it waits for something. */
  process(data: Uint8Array, call: Call): Answer | Promise<Answer> | AsyncIterable<Uint8Array>;
  /** Gives back what `initialize` took; once in each lane, after its last call. */
  dispose?(): void | Promise<void>;
}

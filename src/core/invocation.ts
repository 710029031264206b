import type { CallAbort } from "./call-abort.js";
import type { MetadataView } from "./metadata.js";
import type { ServingError } from "./serving-error.js";

/** Which protocol a call came in by. */
export type DoorName = "grpc" | "eas" | "connect" | "grpc-web";

/** Exactly one payload (the fast path), or a sequence of them. */
export type Payloads = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * What of the processor answers a call: `process`, the method of its typed service that `method` names, or the function
 * that `path` names.
 */
export type Handler = "process" | "rpc" | "function";

/** Who is served first when there is more to do than can be done at once. */
export type Priority = "high" | "normal";

/** Metadata key (and HTTP header) by which a caller asks for a {@link Priority}. */
export const PRIORITY_KEY = "x-inferwire-priority";

/** One call in the host's own words, whatever door it came in by. */
export interface Invocation {
  readonly door: DoorName;
  readonly handler: Handler;
  /** The hosted service that was asked for; empty when the caller named none. */
  readonly service: string;
  /** `/package.Service/Method`, or the HTTP verb. */
  readonly method: string;
  /** After `/api/predict/NAME`, else the whole path; what PredictRequest says over gRPC; the name of a function. */
  readonly path: string;
  /** Query without `?`; empty over gRPC. */
  readonly query: string;
  /** Headers as received, lower-case keys. */
  readonly metadata: MetadataView;
  /** `address:port` of the caller. */
  readonly peer: string;
  /**
   * What log lines call the request by; made when it is first asked for (`processor/request-id`), and what the host calls it
   * by in a lane.
   */
  requestId?: string | undefined;
  /** When the headers arrived, on the host's clock. */
  readonly arrivedMs: number;
  /** When the call must have ended, on the host's clock; Infinity without a deadline. */
  readonly deadlineMs: number;
  /**
   * The caller's own part in that, Infinity when it named none: all that is left of the deadline once the answer has begun in
   * pieces.
   */
  readonly callerDeadlineMs: number;
  readonly payloads: Payloads;
  /** Whether the caller can take an answer in pieces. */
  readonly takesPieces: boolean;
  readonly abort: CallAbort;
  /** Answers the caller with an error and aborts the work; does nothing when the call has been answered. */
  giveUp(reason: ServingError): void;
}

/** How an invocation ended when it did not throw. */
export interface Outcome {
  readonly payloads: Payloads;
  /** What the processor returned beside the bytes; 0 and 200 are success. */
  readonly status: number;
  /** Sent before the payloads. */
  readonly headers: MetadataView;
  /** Read only after the last payload: a processor may add to them until then. */
  readonly trailers: MetadataView;
}

/**
 * The outcome of a call that is answered in pieces. Its headers and trailers are read from `heads` when they are asked for:
 * they may change until the pieces have begun, or have ended.
 */
export function outcomeInPieces(
  payloads: AsyncIterable<Uint8Array>,
  status: number,
  heads: Pick<Outcome, "headers" | "trailers">,
): Outcome {
  return {
    payloads,
    status,
    get headers() {
      return heads.headers;
    },
    get trailers() {
      return heads.trailers;
    },
  };
}

/** Tells whether an answer or request is a sequence. */
export function isSequence(payloads: Payloads): payloads is AsyncIterable<Uint8Array> {
  return !(payloads instanceof Uint8Array);
}

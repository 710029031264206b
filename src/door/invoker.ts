import type { DoorName, Invocation, Outcome } from "../core/invocation.js";
import type { MetadataView } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { callTimeOver } from "../core/stop-errors.js";
import type { TimeLimit } from "../core/time-limit.js";
import type { RpcDoorName } from "../server/rpc.js";

/** What counters and log lines want to know of a call that has ended. */
export type EndedCall = Pick<
  Invocation,
  "arrivedMs" | "door" | "metadata" | "method" | "peer" | "requestId" | "service"
>;

/** Counts the calls of one method that came in by one door. */
export interface CallSeries {
  /** A call has come in. */
  started(): void;
  /** A message of a call of a method has arrived. */
  received(): void;
  /** A message of a call of a method has been handed over for sending. */
  sent(): void;
  /** A call has been answered with `status`; `error` says why, unless it went well. */
  ended(call: EndedCall, status: string, error: ServingError | undefined): void;
}

/** The load of the host, in the forms in which answers carry it. */
export interface LoadSigns {
  /** A single trailer. */
  readonly trailers: MetadataView;
  /** Value of the header {@link LOAD_HEADER}. */
  readonly header: string;
}

/** What every door hands its calls to. */
export interface Invoker {
  readonly clock: Clock;
  /** The time of a call, from its headers to its answer; to the first piece where it is answered in pieces. */
  readonly requestTime: TimeLimit;
  /** The time between two messages of a stream, whichever side is slow and whichever way they go. */
  readonly pieceTime: TimeLimit;
  /** Largest payload of an answer; {@link invoke} checks an answer in one piece, the door those in several. */
  readonly maxMessageBytes: number;
  /**
   * Why a call whose body is not decompressed yet would be refused if it came in now; undefined when nothing stands in its way
   * so far. Asking takes nothing and counts nothing.
   *
   * @param bodiesAhead - Bodies that wait already for what this one has to wait for; left out when it has not to.
   */
  refusal(invocation: Invocation, bodiesAhead?: number): ServingError | undefined;
  /**
   * Admits a call and runs it.
   *
   * @throws HostError when it is refused, or answers in pieces to a caller that takes none; the invocation's abort reason when it was given up while it waited; what the
   * lane throws.
   */
  invoke(invocation: Invocation): Promise<Outcome>;
  /** What answers tell of the host's load; left out where they do not. */
  readonly load?: { signs(): LoadSigns } | undefined;
  /** The counters of a method; asked for once a route, not once a call. */
  series(door: DoorName, method: string): CallSeries;
}

/** The counters of a method, one for each protocol that its calls come in by. */
export type SeriesByDoor = Readonly<Record<RpcDoorName, CallSeries>>;

/** Makes the counters of a method for each protocol. */
export function seriesByDoor(make: (door: RpcDoorName) => CallSeries): SeriesByDoor {
  return { grpc: make("grpc"), "grpc-web": make("grpc-web"), connect: make("connect") };
}

/** The error of a call that was over on the wire before it was answered. */
export function closedByCaller(late: boolean): ServingError {
  return late ? callTimeOver() : servingError("CANCELLED", "the caller gave the call up");
}

/** The error of a piece of an answer that is too large to go out; undefined when it is not. */
export function pieceProblem(
  piece: Uint8Array,
  { maxMessageBytes }: Invoker,
): ServingError | undefined {
  if (piece.byteLength <= maxMessageBytes) return undefined;
  return servingError(
    "MESSAGE_TOO_LARGE",
    `a piece of the answer is ${piece.byteLength} bytes, at most ${maxMessageBytes} go out`,
  );
}

/** The error of a stream that made no progress. */
export function gapError(ms: number): ServingError {
  return servingError(
    "DEADLINE_EXCEEDED",
    `no message of the stream came in or went out within ${ms} ms`,
  );
}

import type { Invocation, Outcome } from "../core/invocation.js";
import type { ServingError } from "../core/serving-error.js";
import type { LaneKind } from "../processor/processor.js";

/** One life of a place where `process` runs: the host's own thread, a worker thread, or a child process. */
export interface Lane {
  readonly kind: LaneKind;
  /** Position in the pool, from 0. */
  readonly index: number;
  /** Of the lane's own process; undefined for one within the host's. */
  readonly pid: number | undefined;
  /**
   * Resolves with the reason (`LANE_DIED`) when the lane is gone; never for one that is closed in order, or inline. Its
   * details say how it ended: `exitCode`, `signal`, `outOfMemory`.
   */
  readonly died: Promise<ServingError>;
  /**
   * Initialises the processor; the lane takes calls when this has resolved.
   *
   * @throws ProcessorError `INITIALIZE_FAILED`; HostError `LANE_DIED` when the lane ended while it initialised,
   * `DRAINING` when it was closed.
   */
  start(): Promise<void>;
  /**
   * Runs one call; the abort of the invocation crosses into the lane. Resolves or rejects when the lane has done with the
   * call (an answer in pieces: when its pieces have begun), also when the caller has left long before.
   *
   * @throws what {@link ProcessorRunner.run} throws; HostError `LANE_DIED` within 100 ms of the lane's death.
   */
  run(invocation: Invocation): Promise<Outcome>;
  /** Whether the processor has an `isReady` of its own; known when the lane has started. */
  readonly checksReady: boolean;
  /** What the processor's `isReady` says, false when the lane ends before; the caller keeps the time. */
  isReady(signal: AbortSignal): Promise<boolean>;
  /** Hands a message to the processor without waiting for what it does with it. */
  tell(message: Uint8Array): void;
  /** Tells the processor the values of its own properties; before `start`, those that it starts with. */
  setProperties(values: ReadonlyMap<string, string>): void;
  /** Asks whether the lane lives, unless that question is open already. */
  ask(): void;
  /** Milliseconds since the open question was asked, nothing having come from the lane since; 0 inline. */
  readonly silentMs: number;
  /**
   * Disposes of the processor, after its last call; what has not ended within `graceMs` is killed, and its calls end with
   * `ABORTED_BY_STOP`. Resolves when nothing of the lane is left.
   */
  close(graceMs: number): Promise<void>;
  /** Ends the lane at once; every call in it ends with `reason`, and `died` resolves with it when the lane is gone. */
  kill(reason: ServingError): void;
}

/** Makes the lane at a position of the pool: anew for each of its lives. */
export type LaneFactory = (index: number) => Lane;

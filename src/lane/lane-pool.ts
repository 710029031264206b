import type { Invocation, Outcome } from "../core/invocation.js";
import type { ServingError } from "../core/serving-error.js";
import type { LaneKind } from "../processor/processor.js";

/** What a lane of a pool is doing. */
export type LaneState = "starting" | "ready" | "busy" | "mute" | "unready" | "stuck" | "dead";

/** Load of one lane, over all its lives. */
export interface LaneLoad {
  readonly kind: LaneKind;
  readonly index: number;
  readonly state: LaneState;
  /** Calls in progress. */
  readonly inFlight: number;
  /** Calls begun since the host started. */
  readonly calls: number;
  /** Times the lane was replaced. */
  readonly restarts: number;
}

/** A place for one call in a lane that is ready. */
export interface Place {
  /** Runs one call; once. See {@link Lane.run}. */
  run(invocation: Invocation): Promise<Outcome>;
  /** Gives the place back; once, when the call and all pieces of its answer are over. */
  release(): void;
}

/** Where calls find a place to run. */
export interface Places {
  /** A place in the least busy lane that is ready; undefined while there is none. */
  take(): Place | undefined;
  /** Places that {@link take} would give now. */
  readonly free: number;
  /** Whether a place can be expected soon: some lane is ready or mute, or is being started. */
  readonly hopeful: boolean;
  /** Calls that hold a place. */
  readonly running: number;
  /** Calls `listener` whenever a place may have become free, or hope has gone. One listener. */
  onFree(listener: () => void): void;
}

/** The lanes of a host: replaces those that die, and knows how many can take calls. */
export interface LanePool extends Places {
  /**
   * Starts every lane; resolves when all take calls, or only their processors' `isReady` says otherwise. When one fails,
   * the others are closed.
   *
   * @throws what {@link Lane.start} throws.
   */
  start(): Promise<void>;
  readonly load: readonly LaneLoad[];
  /** Lanes that can take calls, now or when their calls in progress have ended. */
  readonly readyLanes: number;
  /** Calls `listener` whenever `readyLanes` has changed. One listener. */
  onReadyLanes(listener: () => void): void;
  /** Calls at a time in each lane, from now on. */
  setCallsPerLane(calls: number): void;
  /** Hands a message to every living lane; tells how many. */
  tell(message: Uint8Array): number;
  /** Tells every lane the values of the processor's properties, lanes to come included. */
  setProperties(values: ReadonlyMap<string, string>): void;
  /**
   * Why a request is not to be run, or even queued: `REQUEST_QUARANTINED`. Costs nothing worth speaking of unless lanes
   * have died lately.
   */
  refusal(invocation: Invocation): ServingError | undefined;
  /** Ends all lanes in order; replaces none from now on. See {@link Lane.close}. */
  close(graceMs: number): Promise<void>;
}

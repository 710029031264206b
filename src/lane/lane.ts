import type { Invocation, Outcome } from "../core/invocation.js";
import type { LaneKind } from "../processor/processor.js";

/** A place where `process` runs. */
export interface Lane {
  readonly kind: LaneKind;
  /** Position in the pool, from 0. */
  readonly index: number;
  /** Initialises the processor; the lane takes calls when this has resolved. */
  start(): Promise<void>;
  /** Runs one call. */
  run(invocation: Invocation): Promise<Outcome>;
  /** Disposes of the processor; after its last call. */
  close(): Promise<void>;
}

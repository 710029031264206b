import type { ServingError } from "../core/serving-error.js";
import type { Snapshot } from "../core/snapshot.js";

/** Told what a source learns. */
export interface SourceListener {
  /** A list, the first or a changed one; also the same list when it becomes stale or fresh again. */
  onSnapshot(snapshot: Snapshot): void;
  /** The list is still what the last snapshot says: the same snapshot, version included, confirmed at a later time. */
  onConfirmed(snapshot: Snapshot): void;
  /** The source failed; it goes on trying by itself, and the last list stays good. */
  onError(error: ServingError): void;
}

/**
 * Knows who serves a service, and says so whenever that changes.
 *
 * Never empties the list because of an error; does so when the engine says authoritatively that there is none. Nothing
 * happens before `start`; its timers and sockets do not keep the process alive.
 */
export interface Source {
  /** Where the list comes from, for people. */
  readonly name: string;
  /** What is listed. */
  readonly service: string;
  /** Begins; called once. The listener is never called synchronously from here, and never after `close`. */
  start(listener: SourceListener): void;
  /** Ends; idempotent. */
  close(): Promise<void>;
}

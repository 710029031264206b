import type { ServingError } from "../core/serving-error.js";
import type { Snapshot, SnapshotChange } from "../core/snapshot.js";

/** Told what a source learns. */
export interface SourceListener {
  /**
   * A list, the first or a changed one; also the same list when it becomes stale or fresh again.
   *
   * @param change - what it differs by from the snapshot told before, where the source knows
   */
  onSnapshot(snapshot: Snapshot, change?: SnapshotChange): void;
  /** The list is still what the last snapshot says: the same snapshot, version included, confirmed at a later time. */
  onConfirmed(snapshot: Snapshot): void;
  /**
   * The source failed; it goes on trying by itself, and the last list stays good. Told as often as it happens, with every try that
   * fails: who shows it joins what is the same. A list that is not stale, or a confirmation, says that the source works again.
   */
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

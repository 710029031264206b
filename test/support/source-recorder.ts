import type { ServingError } from "../../src/core/serving-error.js";
import type { Snapshot, SnapshotChange } from "../../src/core/snapshot.js";
import type { SourceListener } from "../../src/resolve/source.js";

/** A listener that remembers what it was told, in order. */
export interface SourceRecorder extends SourceListener {
  readonly snapshots: readonly Snapshot[];
  /** What came with each of the snapshots. */
  readonly changes: readonly (SnapshotChange | undefined)[];
  readonly errors: readonly ServingError[];
  /** The snapshots that it was told are confirmed. */
  readonly confirmed: readonly Snapshot[];
  /** The newest snapshot. */
  readonly last: Snapshot | undefined;
  /** `host:port=weight` of the newest list, ascending. */
  listed(): readonly string[];
}

/** Makes a listener that has been told nothing. */
export function createSourceRecorder(): SourceRecorder {
  const snapshots: Snapshot[] = [];
  const changes: (SnapshotChange | undefined)[] = [];
  const errors: ServingError[] = [];
  const confirmed: Snapshot[] = [];
  return {
    snapshots,
    changes,
    errors,
    confirmed,
    get last() {
      return snapshots.at(-1);
    },
    listed() {
      const instances = snapshots.at(-1)?.instances ?? [];
      return instances.map(({ key, weight }) => `${key}=${weight}`).sort();
    },
    onSnapshot(snapshot, change) {
      snapshots.push(snapshot);
      changes.push(change);
    },
    onConfirmed: (snapshot) => confirmed.push(snapshot),
    onError: (error) => errors.push(error),
  };
}

import type { ServingError } from "../../src/core/serving-error.js";
import type { Snapshot } from "../../src/core/snapshot.js";
import type { SourceListener } from "../../src/resolve/source.js";

/** A listener that remembers what it was told, in order. */
export interface SourceRecorder extends SourceListener {
  readonly snapshots: readonly Snapshot[];
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
  const errors: ServingError[] = [];
  const confirmed: Snapshot[] = [];
  return {
    snapshots,
    errors,
    confirmed,
    get last() {
      return snapshots.at(-1);
    },
    listed() {
      const instances = snapshots.at(-1)?.instances ?? [];
      return instances.map(({ key, weight }) => `${key}=${weight}`).sort();
    },
    onSnapshot: (snapshot) => snapshots.push(snapshot),
    onConfirmed: (snapshot) => confirmed.push(snapshot),
    onError: (error) => errors.push(error),
  };
}

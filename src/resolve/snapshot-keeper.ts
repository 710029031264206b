import type { Instance } from "../core/instance.js";
import type { Clock, Logger } from "../core/ports.js";
import type { ServingError } from "../core/serving-error.js";
import type { Snapshot } from "../core/snapshot.js";
import type { SourceListener } from "./source.js";

/** A list as a source has just learned it. */
export interface LearnedList {
  /** Keys are unique. */
  readonly instances: readonly Instance[];
  readonly rejected: number;
  /** What was wrong with the first rejected item; logged when the list is a new one. */
  readonly firstProblem?: string | undefined;
}

/**
 * Turns what a source learns into snapshots for its listener.
 *
 * ```
 *            accept                 doubt, fail
 *  no list ----------> fresh list -------------> stale list (the same, `stale: true`)
 *                         ^------------------------'
 *                             accept, confirm
 * ```
 *
 * A list that is learned again makes no new snapshot: the listener is told that it is confirmed, and given the same one with
 * a later time. Nobody is told of a failure of a list that is stale already.
 */
export interface SnapshotKeeper {
  /** The list that the listener has, if it has one. */
  readonly instances: readonly Instance[] | undefined;
  /** The source says what the list is; `doubted` when that is not all it will say (then it counts as stale). */
  accept(list: LearnedList, options?: { readonly doubted?: boolean }): void;
  /** The source says that the list is what it was. */
  confirm(): void;
  /** The source no longer vouches for the list; without a list this does nothing. */
  doubt(): void;
  /** The source failed: the list becomes stale, and the listener is told why. */
  fail(error: ServingError): void;
  /** The listener hears nothing from now on. */
  close(): void;
}

/** What a keeper is made of. */
export interface SnapshotKeeperOptions {
  readonly source: string;
  readonly service: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: SourceListener;
}

/** Makes a keeper that has no list yet. */
export function createSnapshotKeeper(options: SnapshotKeeperOptions): SnapshotKeeper {
  const { source, service, clock, logger, listener } = options;
  let current: Snapshot | undefined;
  let confirmedAtMs = 0;
  let closed = false;

  function emit(list: LearnedList, stale: boolean): void {
    const version = (current?.version ?? 0) + 1;
    const instances = Object.freeze([...list.instances]);
    const { rejected } = list;
    const snapshot = { version, service, source, confirmedAtMs, stale, instances, rejected };
    current = Object.freeze(snapshot);
    listener.onSnapshot(current);
  }

  function confirmAgain(): void {
    if (current === undefined) return;
    current = Object.freeze({ ...current, confirmedAtMs });
    listener.onConfirmed(current);
  }

  function accept(list: LearnedList, stale: boolean): void {
    if (closed) return;
    if (!stale) confirmedAtMs = clock.now();
    const same =
      current !== undefined &&
      current.stale === stale &&
      current.rejected === list.rejected &&
      sameInstances(current.instances, list.instances);
    if (same) {
      if (!stale) confirmAgain();
      return;
    }
    const { rejected, firstProblem } = list;
    if (rejected > 0 && firstProblem !== undefined) {
      logger.warn({ source, service, rejected, firstProblem }, "listed instances left out");
    }
    emit(list, stale);
  }

  function doubt(): void {
    if (!closed && current !== undefined && !current.stale) emit(current, true);
  }

  return {
    get instances() {
      return current?.instances;
    },
    accept(list, { doubted = false } = {}) {
      accept(list, doubted);
    },
    confirm() {
      if (current !== undefined) accept(current, false);
    },
    doubt,
    fail(error) {
      doubt();
      // The listener may have closed the source on hearing of the stale list.
      if (!closed) listener.onError(error);
    },
    close() {
      closed = true;
    },
  };
}

/** Order means nothing. */
function sameInstances(a: readonly Instance[], b: readonly Instance[]): boolean {
  if (a.length !== b.length) return false;
  const byKey = new Map(a.map((instance) => [instance.key, instance]));
  return b.every((instance) => {
    const other = byKey.get(instance.key);
    return (
      other !== undefined &&
      other.weight === instance.weight &&
      other.name === instance.name &&
      other.app === instance.app
    );
  });
}

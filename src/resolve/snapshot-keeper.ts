import type { Instance } from "../core/instance.js";
import type { Clock, Logger } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { Snapshot, SnapshotChange } from "../core/snapshot.js";
import type { LeftOut } from "../wire/left-out.js";
import { createKeyedList } from "./keyed-list.js";
import type { SourceListener } from "./source.js";

/** As many as a directory of the kit holds in all: more is a fault or an attack, and would fill the machine. */
export const MAX_INSTANCES = 100_000;

/** A list as a source has just learned it. */
export interface LearnedList extends LeftOut {
  /** Keys are unique. */
  readonly instances: readonly Instance[];
}

/**
 * What a source has just learned of the list that it told last. A key that is not listed cannot be removed, one that is changed
 * too is not removed, and of several changes of a key the last one counts.
 */
export interface LearnedChange extends SnapshotChange {
  /** Items that are left out of the list that this leads to; as many as before when absent. */
  readonly rejected?: number | undefined;
  /** What was wrong with the first item rejected now; logged when there is a new list. */
  readonly firstProblem?: string | undefined;
}

/** How a source stands to what it says. */
export interface LearnedOptions {
  /** It is not all that it will say, or it cannot vouch for it: the list counts as stale. */
  readonly doubted?: boolean | undefined;
}

/**
 * Turns what a source learns into snapshots for its listener.
 *
 * ```
 *            accept                     doubt, fail
 *  no list ----------> fresh list -----------------> stale list (the same, `stale: true`)
 *                         ^----------------------------'
 *                             accept, change, confirm
 * ```
 *
 * A list that is learned again makes no new snapshot: the listener is told that it is confirmed, and given the same one with
 * a later time. Nobody is told of a failure of a list that is stale already.
 *
 * More than 100,000 instances are a failure, `UPSTREAM_MALFORMED`: the list stays what it was, and is a stale one until a whole list
 * is accepted, for no change could be taken of the one that was refused.
 *
 * With every snapshot but the first the listener gets the change that leads to it from the one told before, whose version is one
 * less: applied by key it gives exactly the new list. It names nobody who stays as it was, and is empty when only `stale` or
 * `rejected` differ. Instances keep the order in which they joined.
 */
export interface SnapshotKeeper {
  /** The list that the listener has, if it has one. */
  readonly instances: readonly Instance[] | undefined;
  /** The list that the source has is longer than what is taken: it has to be told whole again. */
  readonly refused: boolean;
  /** The source says what the list is; costs a pass over it. */
  accept(list: LearnedList, options?: LearnedOptions): void;
  /**
   * The source says what has changed; costs next to nothing for who has not. Changing nothing confirms the list. Without a list this
   * does nothing, for there is nothing that it could be a change of.
   */
  change(change: LearnedChange, options?: LearnedOptions): void;
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

const NO_CHANGE: SnapshotChange = Object.freeze({ changed: [], removed: [] });

/** Makes a keeper that has no list yet. */
export function createSnapshotKeeper(options: SnapshotKeeperOptions): SnapshotKeeper {
  const { source, service, clock, logger, listener } = options;
  const list = createKeyedList();
  let current: Snapshot | undefined;
  let confirmedAtMs = 0;
  let refused = false;
  let closed = false;

  function emit(change: SnapshotChange | undefined, stale: boolean, rejected: number): void {
    const before = current;
    const version = (before?.version ?? 0) + 1;
    // Who only becomes stale shares the array.
    const instances =
      before !== undefined && change === undefined
        ? before.instances
        : list.apply(change ?? NO_CHANGE);
    const snapshot = { version, service, source, confirmedAtMs, stale, instances, rejected };
    current = Object.freeze(snapshot);
    listener.onSnapshot(current, before === undefined ? undefined : (change ?? NO_CHANGE));
  }

  function learn(
    change: SnapshotChange | undefined,
    { doubted: stale = false }: LearnedOptions,
    { rejected, firstProblem }: LeftOut,
  ): void {
    if (!stale) confirmedAtMs = clock.now();
    if (
      current !== undefined &&
      change === undefined &&
      current.stale === stale &&
      current.rejected === rejected
    ) {
      if (!stale) confirmAgain(current);
      return;
    }
    if (rejected > 0 && firstProblem !== undefined) {
      logger.warn({ source, service, rejected, firstProblem }, "listed instances left out");
    }
    emit(change, stale, rejected);
  }

  function confirmAgain(snapshot: Snapshot): void {
    current = Object.freeze({ ...snapshot, confirmedAtMs });
    listener.onConfirmed(current);
  }

  function doubt(): void {
    if (closed || current === undefined || current.stale) return;
    emit(undefined, true, current.rejected);
  }

  function fail(error: ServingError): void {
    doubt();
    // The listener may have closed the source on hearing of the stale list.
    if (!closed) listener.onError(error);
  }

  /** Tells of a list that is too long. */
  function refuse(count: number): boolean {
    refused = count > MAX_INSTANCES;
    if (!refused) return false;
    const what = `${source}: ${count} instances are listed, expected at most ${MAX_INSTANCES}`;
    fail(servingError("UPSTREAM_MALFORMED", what));
    return true;
  }

  return {
    get instances() {
      return current?.instances;
    },
    get refused() {
      return refused;
    },
    accept(learned, options = {}) {
      if (closed || refuse(learned.instances.length)) return;
      learn(list.differenceTo(learned.instances), options, learned);
    },
    change(learned, options = {}) {
      if (closed || refused || current === undefined) return;
      const effect = list.effectOf(learned);
      if (effect !== undefined && refuse(list.sizeAfter(effect))) return;
      const { rejected = current.rejected, firstProblem } = learned;
      learn(effect, options, { rejected, firstProblem });
    },
    confirm() {
      if (!closed && !refused && current !== undefined) learn(undefined, {}, current);
    },
    doubt,
    fail,
    close() {
      closed = true;
    },
  };
}

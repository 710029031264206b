import type { Instance } from "../core/instance.js";
import type { Clock } from "../core/ports.js";
import type { SnapshotChange } from "../core/snapshot.js";
import { SETTLE_MS } from "../wire/upstream.js";
import { createKeyedList } from "./keyed-list.js";
import type { LearnedList, SnapshotKeeper } from "./snapshot-keeper.js";

/** A list as a directory has just sent it. */
export interface DirectoryList extends LearnedList {
  /** Who is missing from it is gone. */
  readonly settled: boolean;
  /** The directory cannot reach what it learns from: its last list. */
  readonly stale: boolean;
}

/** What leads to a list from the one that the same directory sent before. */
export interface DirectoryChange extends SnapshotChange {
  readonly settled: boolean;
  readonly stale: boolean;
}

/**
 * Keeps instances that a list no longer names for some time, when the directory may not have heard of all of them yet.
 *
 * A directory that keeps its registrations in memory has none when it starts; the first instance that registers again is
 * then alone on its list, and would get the traffic of all. One that could not reach its store for longer than a lease sees all
 * leases end before anybody could renew. So on a new connection, and when a directory that has said that its list is settled
 * says that it is not, a list adds and does not remove, and what it lacks makes it a stale one. The grace ends at once when the
 * directory says that its list is settled, else with what it says first after some time: never in its silence. It does not end while the directory's own list is stale: that may be an older one than
 * what is known already, and what follows it unsettled begins the grace anew.
 */
export interface RemovalGrace {
  /** A new connection: the next list begins the grace, if there is an older one to keep. */
  arm(): void;
  /** Hands a list to the keeper, with what is missing from it as long as the grace lasts. */
  take(list: DirectoryList): void;
  /** Hands a change of the list taken last to the keeper; as long as the grace lasts it costs a pass over the list. */
  change(change: DirectoryChange): void;
  /** The list taken last is the directory's still, settled and fresh. */
  confirm(): void;
  /** The connection is gone: nothing more is known of what has been removed. */
  suspend(): void;
}

/** Makes a grace that is not armed. */
export function createRemovalGrace(keeper: SnapshotKeeper, clock: Clock): RemovalGrace {
  let armed = false;
  /** The list before was settled, or the directory out of touch: an unsettled one now is a relapse. */
  let relapsing = false;
  let overAtMs = 0;
  let older: readonly Instance[] = [];
  /** Set while there is an older list: the directory's own. */
  let newest: DirectoryList | undefined;
  let rejected = 0;

  function end(): void {
    older = [];
    newest = undefined;
  }

  function begin(): void {
    armed = false;
    end();
    older = keeper.instances ?? [];
    overAtMs = clock.now() + SETTLE_MS;
  }

  function take(list: DirectoryList): void {
    const { settled, stale } = list;
    if (armed || (relapsing && !settled && !stale)) begin();
    relapsing = settled || stale;
    rejected = list.rejected;
    if (!stale && (settled || older.length === 0 || clock.now() >= overAtMs)) {
      end();
      keeper.accept(list);
      return;
    }
    const missing = missingFrom(list.instances, older);
    if (older.length > 0) newest = list;
    const instances = missing.length === 0 ? list.instances : [...list.instances, ...missing];
    keeper.accept({ ...list, instances }, { doubted: stale || missing.length > 0 });
  }

  /** What the directory's own list is; without a grace just what the keeper has. */
  function own(): LearnedList {
    return newest ?? { instances: keeper.instances ?? [], rejected };
  }

  return {
    arm() {
      armed = true;
    },
    take,
    change({ changed, removed, settled, stale }) {
      if (newest === undefined && (settled || stale || !relapsing)) {
        relapsing = settled || stale;
        keeper.change({ changed, removed }, { doubted: stale });
        return;
      }
      const list = createKeyedList();
      const before = own();
      list.apply({ changed: before.instances, removed: [] });
      const effect = list.effectOf({ changed, removed });
      const instances = effect === undefined ? before.instances : list.apply(effect);
      take({ ...before, instances, settled, stale });
    },
    confirm() {
      if (newest === undefined) keeper.confirm();
      else take({ ...newest, settled: true, stale: false });
    },
    suspend: end,
  };
}

/** Those of an older list that a list does not name; one that is listed with another address has moved. */
function missingFrom(list: readonly Instance[], older: readonly Instance[]): readonly Instance[] {
  if (older.length === 0) return [];
  const keys = new Set(list.map((instance) => instance.key));
  const names = new Set(list.map((instance) => instance.name));
  return older.filter(({ key, name }) => !keys.has(key) && !names.has(name));
}

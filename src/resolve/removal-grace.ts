import type { Instance } from "../core/instance.js";
import type { CancelTimer, Clock } from "../core/ports.js";
import type { LearnedList, SnapshotKeeper } from "./snapshot-keeper.js";

/**
 * After so long every instance that still runs has registered again with a directory that started anew: hosts renew every
 * 5 s at least, however long their lease is, and try again every 6 s at least.
 */
const GRACE_MS = 15_000;

/**
 * Keeps instances that a list no longer names for some time after a new connection.
 *
 * A directory that keeps its registrations in memory has none when it starts; the first instance that registers again is
 * then alone on its list, and would get the traffic of all. So at first a list adds and does not remove, and what it lacks
 * makes it a stale one. The grace ends early when nothing is missing.
 */
export interface RemovalGrace {
  /** A new connection: the next list begins the grace, if there is an older one to keep. */
  arm(): void;
  /** Hands a list to the keeper, with what is missing from it as long as the grace lasts. */
  take(list: LearnedList): void;
  /** The connection is gone: nothing more is known of what has been removed. */
  suspend(): void;
}

/** Makes a grace that is not armed. */
export function createRemovalGrace(keeper: SnapshotKeeper, clock: Clock): RemovalGrace {
  let armed = false;
  let older: readonly Instance[] = [];
  let newest: LearnedList | undefined;
  let cancelTimer: CancelTimer = () => {};

  function end(): void {
    cancelTimer();
    older = [];
    newest = undefined;
  }

  function begin(): void {
    armed = false;
    end();
    older = keeper.instances ?? [];
    if (older.length === 0) return;
    cancelTimer = clock.after(
      GRACE_MS,
      () => {
        const list = newest;
        end();
        if (list !== undefined) keeper.accept(list);
      },
      { background: true },
    );
  }

  return {
    arm() {
      armed = true;
    },
    take(list) {
      if (armed) begin();
      const missing = missingFrom(list.instances, older);
      if (missing.length === 0) {
        end();
        keeper.accept(list);
        return;
      }
      newest = list;
      keeper.accept({ ...list, instances: [...list.instances, ...missing] }, { doubted: true });
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

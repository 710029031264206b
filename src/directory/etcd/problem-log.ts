import { seen } from "../../core/options.js";
import type { CancelTimer, Clock, Logger } from "../../core/ports.js";

/** Time between two lines: anybody may write such keys. */
const PAUSE_MS = 60_000;

/** Tells the log of keys that make no sense, again when there are more. */
export interface ProblemLog {
  /** Has a look at them; by key. */
  note(problems: ReadonlyMap<string, string>): void;
  close(): void;
}

/** Makes the log of a store. */
export function createProblemLog(clock: Clock, logger: Logger): ProblemLog {
  let told = 0;
  let pausing = false;
  let latest: ReadonlyMap<string, string> = new Map();
  let cancelTimer: CancelTimer = () => {};

  function tell(): void {
    told = Math.min(told, latest.size);
    const newest = [...latest].at(-1);
    if (pausing || latest.size <= told || newest === undefined) return;
    told = latest.size;
    const [key, problem] = newest;
    logger.warn(
      { keys: told, key: seen(key), problem },
      "keys below the directory's prefix in etcd make no sense: they are left out",
    );
    pausing = true;
    cancelTimer = clock.after(
      PAUSE_MS,
      () => {
        pausing = false;
        tell();
      },
      { background: true },
    );
  }

  return {
    note(problems) {
      latest = problems;
      tell();
    },
    close: () => cancelTimer(),
  };
}

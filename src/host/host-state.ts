import type { HostState } from "../builtin/host-view.js";

/** Which state may follow which; everything else is a mistake of the kit. */
export const hostTransitions: Readonly<Record<HostState, readonly HostState[]>> = {
  starting: ["warming", "draining", "stopped"],
  warming: ["ready", "draining", "stopped"],
  ready: ["unready", "draining"],
  unready: ["ready", "draining"],
  draining: ["stopped"],
  stopped: [],
};

/** The state of a host's life, changed in one place only. */
export interface StateCell {
  readonly current: HostState;
  /** Goes on to `next`; throws when the table does not allow it. */
  move(next: HostState): void;
  /** Calls `listener` after every change; returns how to take it back. */
  onChange(listener: (state: HostState) => void): () => void;
}

/**
 * Makes the cell of a new host.
 *
 * ```
 * starting --> warming --> ready <--> unready --> draining --> stopped
 *     |           |           `--------------------^ ^           ^
 *     |`----------`------------- close --------------'           |
 *      `----------`------------- initialize() or warm-up failed -'
 * ```
 */
export function createStateCell(): StateCell {
  let current: HostState = "starting";
  const listeners = new Set<(state: HostState) => void>();
  return {
    get current() {
      return current;
    },
    move(next) {
      if (!hostTransitions[current].includes(next)) {
        throw new Error(`a ${current} host cannot become ${next}`);
      }
      current = next;
      for (const listener of [...listeners]) listener(next);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

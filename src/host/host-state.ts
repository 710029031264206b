import type { HostState } from "../builtin/host-view.js";

/** Which state may follow which; everything else is a mistake of the kit. */
export const hostTransitions: Readonly<Record<HostState, readonly HostState[]>> = {
  starting: ["ready", "draining", "stopped"],
  ready: ["draining"],
  draining: ["stopped"],
  stopped: [],
};

/** The state of a host's life, changed in one place only. */
export interface StateCell {
  readonly current: HostState;
  /** Goes on to `next`; throws when the table does not allow it. */
  move(next: HostState): void;
}

/**
 * Makes the cell of a new host.
 *
 * ```
 * starting --> ready --> draining --> stopped
 *     |`---- close -------^              ^
 *     `---- initialize() threw ----------'
 * ```
 */
export function createStateCell(): StateCell {
  let current: HostState = "starting";
  return {
    get current() {
      return current;
    },
    move(next) {
      if (!hostTransitions[current].includes(next)) {
        throw new Error(`a ${current} host cannot become ${next}`);
      }
      current = next;
    },
  };
}

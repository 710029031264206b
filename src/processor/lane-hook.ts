import { servingError } from "../core/serving-error.js";
import type { AnyProcessor } from "./processor.js";

/** Takes the processor over that a module runs, in the process or thread of a lane. */
export interface LaneHook {
  /** Resolves when the lane has been closed, as `run()` does when its host has stopped. */
  run(processor: AnyProcessor): Promise<void>;
}

/** By a registered symbol, so that a second copy of the package finds it too. */
const HOOK = Symbol.for("inferwire.lane");

interface Hooked {
  [HOOK]?: LaneHook;
}

/** The lane that this process or thread is for; undefined in a host. */
export function laneHook(): LaneHook | undefined {
  return (globalThis as Hooked)[HOOK];
}

/** Makes this process or thread that of a lane. */
export function installLaneHook(hook: LaneHook): void {
  (globalThis as Hooked)[HOOK] = hook;
}

/**
 * Refuses to start a host where a lane of another one runs.
 *
 * @throws ConfigError `INVALID_OPTION`.
 */
export function refuseHostInLane(): void {
  if (laneHook() === undefined) return;
  throw servingError(
    "INVALID_OPTION",
    "a host was started by the module that its own lane has loaded: put the processor into a module of its own, " +
      "export it there, and name that module in options.module",
  );
}

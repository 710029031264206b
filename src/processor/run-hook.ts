import { servingError } from "../core/serving-error.js";
import type { AnyProcessor } from "./processor.js";

/** Takes the processor over that a module runs, in the process or thread of a lane, or under `inferwire serve`. */
export interface RunHook {
  /** What a module is told that starts a host itself. */
  readonly refusal: string;
  /** Resolves when the lane has been closed, as `run()` does when its host has stopped. */
  run(processor: AnyProcessor): Promise<void>;
}

/** By a registered symbol, so that a second copy of the package finds it too. */
const HOOK = Symbol.for("inferwire.lane");

interface Hooked {
  [HOOK]?: RunHook;
}

/** What the module's processor is handed to; undefined in a process that hosts by itself. */
export function runHook(): RunHook | undefined {
  return (globalThis as Hooked)[HOOK];
}

/** Makes this process or thread one whose module starts no host. */
export function installRunHook(hook: RunHook): void {
  (globalThis as Hooked)[HOOK] = hook;
}

/**
 * Refuses to start a host where a lane of another one runs, or where `inferwire serve` starts it.
 *
 * @throws ConfigError `INVALID_OPTION`.
 */
export function refuseSecondHost(): void {
  const hook = runHook();
  if (hook !== undefined) throw servingError("INVALID_OPTION", hook.refusal);
}

import type { ErrorPolicy } from "./answer-errors.js";
import type { AnyServerMiddleware } from "./processor.js";

/** What every call of a lane is run with. */
export interface RunnerSettings extends ErrorPolicy {
  readonly middleware: readonly AnyServerMiddleware[];
}

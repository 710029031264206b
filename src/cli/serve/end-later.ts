import type { Clock } from "../../core/ports.js";
import { LINGER_MS } from "../../host/run-processor.js";

/** Ends the process soon, with the exit code that it has by then: what the user's module has opened may hold it. */
export function endLater(clock: Clock): void {
  clock.after(LINGER_MS, () => process.exit(), { background: true });
}

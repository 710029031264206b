import type { CliContext } from "./command.js";

/** Waits so long, or until the command is stopped; keeps the command alive meanwhile. */
export function waitFor(
  ms: number,
  { clock, signal }: Pick<CliContext, "clock" | "signal">,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      cancelTimer();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancelTimer = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}

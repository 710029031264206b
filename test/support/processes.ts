import { spawnSync } from "node:child_process";
import { until } from "./until.js";

/** Whether a process lives. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // One that nobody has waited for yet still has a number.
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return !stdout.startsWith("Z");
}

/** Waits until none of these processes lives. */
export function untilGone(...pids: readonly number[]): Promise<void> {
  return until(() => !pids.some(lives));
}

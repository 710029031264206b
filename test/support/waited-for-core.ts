import { readFileSync } from "node:fs";

/** How long the main thread of a process has waited for a core since it started, in milliseconds; 0 where unknown. */
export function waitedForCoreMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** How long some process of the machine has waited for a core since it started, in microseconds; NaN where unknown. */
export function waitedForCoreUs(): number {
  try {
    const pressure = readFileSync("/proc/pressure/cpu", "latin1");
    return Number(/some .*total=(\d+)/.exec(pressure)?.[1]);
  } catch {
    return Number.NaN;
  }
}

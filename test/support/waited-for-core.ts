import { readFileSync } from "node:fs";

/** How long some process of the machine has waited for a core since it started, in microseconds; NaN where unknown. */
export function waitedForCoreUs(): number {
  try {
    const pressure = readFileSync("/proc/pressure/cpu", "latin1");
    return Number(/some .*total=(\d+)/.exec(pressure)?.[1]);
  } catch {
    return Number.NaN;
  }
}

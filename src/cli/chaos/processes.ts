/** What Linux knows of processes, read from `/proc`: independent of what a host says of its lanes. */
import { readdirSync, readFileSync } from "node:fs";

/** Whether a process runs; one that has ended and was not yet reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const state = stat.charAt(stat.lastIndexOf(")") + 2);
    return state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}

/** The children of a process that run. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const pids = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").split(" ").filter(Boolean),
    );
    return pids.map(Number).filter(isAlive);
  } catch {
    // It has ended, and its children have no parent any more.
    return [];
  }
}

const PAGE_BYTES = 4_096;

/** Whether a process was started with a text in its command line. */
export function isCalled(pid: number, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(text);
  } catch {
    return false;
  }
}

/** Resident memory of some processes together, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      const pages = readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1];
      return sum + Number(pages) * PAGE_BYTES;
    } catch {
      return sum;
    }
  }, 0);
}

/** Sends a signal to a process that may have ended by now. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended: that is all that a signal could do to it here.
  }
}

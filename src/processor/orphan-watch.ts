import { workerData } from "node:worker_threads";
import { systemClock } from "../core/ports.js";

// Runs in a thread of its own beside a process that runs a user's code: a processor that computes without an end never sees
// that the link to the parent is gone, and would compute for nobody for ever.

/** How often the thread looks who its parent is. */
const LOOK_MS = 500;

const { parent } = workerData as { readonly parent: number };

/** A process whose parent has ended is given another one. */
function look(): void {
  if (process.ppid === parent) systemClock.after(LOOK_MS, look);
  else process.kill(process.pid, "SIGKILL");
}

look();

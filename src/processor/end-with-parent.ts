import { Worker } from "node:worker_threads";

/** Ends this process when its parent has ended, even while the user's code computes without an end. */
export function endWithParent(): void {
  new Worker(new URL("./orphan-watch.js", import.meta.url), {
    workerData: { parent: process.ppid },
    execArgv: [],
    env: {},
  }).unref();
}

import { MessageChannel, Worker } from "node:worker_threads";
import type { LaneFactory } from "./lane.js";
import { laneArguments } from "./lane-arguments.js";
import type { StartOrder } from "./lane-message.js";
import { type RemoteLaneSettings, startOrders } from "./lane-options.js";
import { createRemoteLane, type LaneBody, type LaneExit } from "./remote-lane.js";
import { createThreadLink } from "./thread-link.js";

/**
 * Makes the factory of lanes in worker threads: each with its own `initialize()` and event loop. No crash boundary: a
 * native fault in one ends the process; running out of memory, and an endless loop, end only the lane.
 *
 * @throws ConfigError `INVALID_OPTION` for a module or a model's configuration that no lane can have.
 */
export function threadLanes(settings: RemoteLaneSettings): LaneFactory {
  const orderOf = startOrders("thread", settings);
  return (index) => {
    const order = orderOf(index);
    return createRemoteLane(threadBody(order), { ...settings, order });
  };
}

function threadBody({ module }: StartOrder): LaneBody {
  const { port1: own, port2: port } = new MessageChannel();
  const worker = new Worker(new URL("./thread-entry.js", import.meta.url), {
    argv: [...laneArguments(module, process.argv)],
    workerData: { port },
    transferList: [port],
  });
  return {
    kind: "thread",
    pid: undefined,
    link: createThreadLink(own),
    exited: exitOf(worker),
    kill: () => void worker.terminate(),
  };
}

function exitOf(worker: Worker): Promise<LaneExit> {
  return new Promise((resolve) => {
    let cause: unknown;
    worker.on("error", (thrown) => {
      cause = thrown;
    });
    worker.on("exit", (exitCode) => {
      const outOfMemory = codeOf(cause) === "ERR_WORKER_OUT_OF_MEMORY";
      const text = outOfMemory ? "ran out of memory" : `ended with exit code ${exitCode}`;
      const details = { exitCode, ...(outOfMemory ? { outOfMemory } : {}) };
      resolve({ text, details, ...(cause === undefined ? {} : { cause }) });
    });
  });
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}

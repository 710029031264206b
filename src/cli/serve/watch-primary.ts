import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { CliContext } from "../command.js";
import { FileWatch } from "./file-watch.js";
import type { ServeRequest } from "./serve-sources.js";
import { unwrap, type WatchReport, wrap } from "./watch-message.js";
import { type ServingListener, type ServingProcess, WatchedServe } from "./watched-serve.js";

/** Processes that live: none may outlive this one, however it ends. */
const living = new Set<Worker>();

/** Serves a module in a process of its own, and in another one whenever what it is made of changes. */
export async function watchServe(request: ServeRequest, context: CliContext): Promise<undefined> {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL("../main.js", import.meta.url)),
    args: process.argv.slice(2),
  });
  process.on("exit", () => {
    for (const worker of living) worker.process.kill("SIGKILL");
  });
  const { clock } = context;
  await new WatchedServe(request, context, {
    fork,
    watch: (changed) => new FileWatch({ clock, changed }),
  }).run();
}

function fork({ hear, exited }: ServingListener): ServingProcess {
  const worker = cluster.fork();
  living.add(worker);
  worker.on("message", (received: unknown) => {
    const report = unwrap<WatchReport>(received);
    if (report !== undefined) hear(report);
  });
  worker.on("exit", (exitCode, signal) => {
    living.delete(worker);
    exited(signal || exitCode);
  });
  return {
    tell(order) {
      // One that has just ended is told nothing more; its exit is heard of.
      if (worker.isConnected()) worker.send(wrap(order), () => {});
    },
    // Node's primary forgets its place at the port at once, whether it hears of that or not.
    leavePort: () => worker.disconnect(),
    kill: () => worker.process.kill("SIGKILL"),
  };
}

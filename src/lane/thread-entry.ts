import { type MessagePort, workerData } from "node:worker_threads";
import { systemClock } from "../core/ports.js";
import { runLaneChild } from "./lane-child.js";
import { createThreadLink } from "./thread-link.js";

const { port } = workerData as { readonly port: MessagePort };

// As if the module had been run itself.
process.argv.splice(1, 1);

runLaneChild({
  link: createThreadLink(port),
  clock: systemClock,
  exit: () => process.exit(0),
});

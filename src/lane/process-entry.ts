import { Socket } from "node:net";
import { systemClock } from "../core/ports.js";
import { endWithParent } from "../processor/end-with-parent.js";
import { runLaneChild } from "./lane-child.js";
import { createProcessLink } from "./process-link.js";

/** The descriptor that a host has opened for its lane. */
const LINK_DESCRIPTOR = 3;

// A terminal's Ctrl+C reaches the whole group: when a lane ends is for its host to say.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
endWithParent();
// As if the module had been run itself.
process.argv.splice(1, 1);

runLaneChild({
  link: createProcessLink(new Socket({ fd: LINK_DESCRIPTOR, readable: true, writable: true })),
  clock: systemClock,
  exit: () => process.exit(0),
});

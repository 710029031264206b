import type { ProcessorRunner } from "../processor/runner.js";
import type { Lane } from "./lane.js";

/** The lane in the host's own thread: no crossing, no isolation. */
export function createInlineLane(runner: ProcessorRunner): Lane {
  return {
    kind: "inline",
    index: 0,
    start: () => runner.initialize(),
    run: (invocation) => runner.run(invocation),
    close: () => runner.dispose(),
  };
}

import type { Invocation, Outcome } from "../core/invocation.js";
import type { Clock, Logger } from "../core/ports.js";
import { handlerName } from "../processor/answer-errors.js";
import type { ProcessorRunner } from "../processor/runner.js";
import type { Lane, LaneFactory } from "./lane.js";

/** What the lane in the host's own thread needs besides the runner. */
export interface InlineLanePorts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A handler that keeps everything else from the host's own thread for so long is worth a warning. */
const HELD_MS = 100;

/** Makes the lane in the host's own thread: no crossing, no isolation, and it cannot die. */
function createInlineLane(runner: ProcessorRunner, { clock, logger }: InlineLanePorts): Lane {
  let initialised = false;
  let warned = false;

  const runMeasured = (invocation: Invocation): Promise<Outcome> => {
    const beganMs = clock.now();
    const running = runner.run(invocation);
    const heldMs = clock.now() - beganMs;
    if (heldMs >= HELD_MS) {
      warned = true;
      const held = `held the host's own thread for ${Math.round(heldMs)} ms, and with it the port`;
      logger.warn({}, `${handlerName(invocation)} ${held}: use lane "thread" or "process"`);
    }
    return running;
  };

  return {
    kind: "inline",
    index: 0,
    pid: undefined,
    died: new Promise(() => {}),
    silentMs: 0,
    checksReady: runner.checksReady,
    isReady: (signal) => runner.isReady(signal),
    tell: (message) => void runner.tell(message),
    // The processor's context holds the host's own map of them.
    setProperties() {},
    ask() {},
    kill() {},
    async start() {
      await runner.initialize();
      initialised = true;
    },
    run: (invocation) => (warned ? runner.run(invocation) : runMeasured(invocation)),
    async close() {
      if (!initialised) return;
      initialised = false;
      await runner.dispose();
    },
  };
}

/**
 * The factory of a pool of one: the lane in the host's own thread. Warns once when a call has held that thread for 100 ms
 * or more in one go.
 */
export function inlineLanes(runner: ProcessorRunner, ports: InlineLanePorts): LaneFactory {
  return () => createInlineLane(runner, ports);
}

import { CallAbort } from "../core/call-abort.js";
import { type Invocation, isSequence } from "../core/invocation.js";
import { emptyMetadata } from "../core/metadata.js";
import type { Clock, Logger } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import type { Lane } from "../lane/lane.js";

/** How often each sample is sent, so that what a first call sets up is warm. Source: EAS, "service warm-up". */
const ROUNDS = 5;

/** What a warm-up needs. */
export interface WarmUpOptions {
  /** Payloads to replay. */
  readonly samples: readonly Uint8Array[];
  readonly service: string;
  /** Longest time of one replayed call, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Replays the samples in a lane that has initialised, before it takes calls; undefined without samples. */
export type WarmUp = (lane: Lane) => Promise<void>;

/**
 * Makes the warm-up of a host's lanes. A sample that fails is logged and left; a lane that dies of one fails to start.
 */
export function createWarmUp(options: WarmUpOptions): WarmUp | undefined {
  const { samples, logger, clock } = options;
  if (samples.length === 0) return undefined;
  return async (lane) => {
    const startedMs = clock.now();
    for (const [sample, payload] of samples.entries()) {
      for (let round = 0; round < ROUNDS; round++) {
        try {
          await replay(lane, payload, options);
        } catch (thrown) {
          const error = ServingError.from(thrown);
          if (error.reason === "LANE_DIED") throw error;
          logger.warn({ lane: lane.index, sample, reason: error.message }, "a warm-up call failed");
          break;
        }
      }
    }
    const tookMs = Math.round(clock.now() - startedMs);
    logger.info({ lane: lane.index, samples: samples.length, tookMs }, "lane warmed up");
  };
}

async function replay(lane: Lane, payload: Uint8Array, options: WarmUpOptions): Promise<void> {
  const { clock, timeoutMs } = options;
  const invocation = warmUpInvocation(payload, options);
  const text = `a warm-up call took longer than ${timeoutMs} ms`;
  const late = (): void => invocation.giveUp(servingError("DEADLINE_EXCEEDED", text));
  const cancelTimer =
    timeoutMs === Number.POSITIVE_INFINITY
      ? () => {}
      : clock.after(timeoutMs, late, { background: true });
  // A process() that ignores its signal must not keep the host from starting.
  const givenUp = new Promise<never>((_, reject) => invocation.abort.onAbort(reject));
  try {
    await Promise.race([readThrough(lane, invocation), givenUp]);
  } finally {
    cancelTimer();
  }
}

async function readThrough(lane: Lane, invocation: Invocation): Promise<void> {
  const { payloads } = await lane.run(invocation);
  if (!isSequence(payloads)) return;
  for await (const _piece of payloads);
}

function warmUpInvocation(payloads: Uint8Array, options: WarmUpOptions): Invocation {
  const arrivedMs = options.clock.now();
  const abort = new CallAbort();
  return {
    door: "eas",
    handler: "process",
    service: options.service,
    method: "POST",
    path: "",
    query: "",
    metadata: emptyMetadata,
    peer: "warm-up",
    arrivedMs,
    deadlineMs: arrivedMs + options.timeoutMs,
    callerDeadlineMs: Number.POSITIVE_INFINITY,
    payloads,
    takesPieces: true,
    abort,
    giveUp: (reason) => abort.abort(reason),
  };
}

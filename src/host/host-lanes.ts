import type { Clock, Logger, Random } from "../core/ports.js";
import { createLanePool } from "../lane/create-lane-pool.js";
import { inlineLanes } from "../lane/inline-lane.js";
import type { LaneFactory } from "../lane/lane.js";
import type { LanePool } from "../lane/lane-pool.js";
import { processLanes } from "../lane/process-lanes.js";
import { threadLanes } from "../lane/thread-lanes.js";
import type { AnyProcessor } from "../processor/processor.js";
import { createRunner } from "../processor/runner.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { createWarmUp } from "./warm-up.js";

/** What the lanes of a host need besides its options. */
export interface HostLanesPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Aborted when the host stops before `initialize` has ended. */
  readonly signal: AbortSignal;
  /** The processor's own properties as they are now: this very map shows later changes. */
  readonly properties: ReadonlyMap<string, string>;
  /** Called when the first lane begins to warm up. */
  readonly warmingUp: () => void;
}

/** Makes the lanes that the options ask for. */
export function createHostLanes(
  processor: AnyProcessor,
  options: ResolvedHostOptions,
  ports: HostLanesPorts,
): LanePool {
  const warmUp = createWarmUp({
    samples: options.warmUp,
    service: options.service,
    timeoutMs: options.requestTimeoutMs,
    ...ports,
  });
  return createLanePool({
    ...options,
    ...ports,
    kind: options.lane,
    count: options.lanes,
    lanes: factoryOf(processor, options, ports),
    prepare:
      warmUp &&
      ((lane) => {
        ports.warmingUp();
        return warmUp(lane);
      }),
  });
}

function factoryOf(
  processor: AnyProcessor,
  options: ResolvedHostOptions,
  ports: HostLanesPorts,
): LaneFactory {
  const settings = { ...options, ...ports, count: options.lanes };
  switch (options.lane) {
    case "process":
      return processLanes(settings);
    case "thread":
      return threadLanes(settings);
    case "inline":
      return inlineLanes(createRunner(processor, inlineRunnerOptions(options, ports)), ports);
  }
}

function inlineRunnerOptions(
  options: ResolvedHostOptions,
  { clock, logger, properties, signal }: HostLanesPorts,
): Parameters<typeof createRunner>[1] {
  const { service, modelPath, modelConfig, exposeErrors, middleware } = options;
  const lane = { kind: "inline", index: 0, count: 1 } as const;
  return {
    context: { lane, service, modelPath, modelConfig, properties, logger, signal },
    clock,
    logger,
    exposeErrors,
    ...(middleware.length > 0 ? { middleware } : {}),
  };
}

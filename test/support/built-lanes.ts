import { afterEach } from "vitest";
import type { Invocation } from "../../src/core/invocation.js";
import type { MetadataView } from "../../src/core/metadata.js";
import type { Clock } from "../../src/core/ports.js";
import type { Lane, LaneFactory } from "../../src/lane/lane.js";
import type { RemoteLaneSettings } from "../../src/lane/lane-options.js";
import type { LaneKind } from "../../src/processor/processor.js";
import { built } from "./built-kit.js";
import { programUrl } from "./programs.js";
import { type LogLine, recordingLogger } from "./recording-logger.js";

type Pools = typeof import("../../src/lane/create-lane-pool.js");
type Errors = typeof import("../../src/core/serving-error.js");
type MetadataViews = typeof import("../../src/core/metadata.js");
type RequestIds = typeof import("../../src/processor/request-id.js");
type Runners = typeof import("../../src/processor/runner.js");

const { processLanes } =
  await built<typeof import("../../src/lane/process-lanes.js")>("lane/process-lanes.js");
const { threadLanes } =
  await built<typeof import("../../src/lane/thread-lanes.js")>("lane/thread-lanes.js");
const { inlineLanes } =
  await built<typeof import("../../src/lane/inline-lane.js")>("lane/inline-lane.js");
const { systemClock } = await built<typeof import("../../src/core/ports.js")>("core/ports.js");
const { CallAbort } =
  await built<typeof import("../../src/core/call-abort.js")>("core/call-abort.js");
const pools = await built<Pools>("lane/create-lane-pool.js");
const errors = await built<Errors>("core/serving-error.js");
const views = await built<MetadataViews>("core/metadata.js");
const runners = await built<Runners>("processor/runner.js");
const requestIds = await built<RequestIds>("processor/request-id.js");
const { createRunner } = runners;
const { emptyMetadata } = views;

export const createLanePool: Pools["createLanePool"] = pools.createLanePool;
export const servingError: Errors["servingError"] = errors.servingError;
export const metadataOf: MetadataViews["metadataOf"] = views.metadataOf;
export const requestIdOf: RequestIds["requestIdOf"] = requestIds.requestIdOf;
export const isDeliberate: Runners["isDeliberate"] = runners.isDeliberate;
export const deliberateTrailers: Runners["deliberateTrailers"] = runners.deliberateTrailers;

/** The clock of lanes that run. */
export const clock: Clock = systemClock;

/** Lanes of a kind, and what they log. */
export interface BuiltLanes {
  readonly lanes: LaneFactory;
  readonly lines: readonly LogLine[];
}

/** Makes the factory of lanes of a kind; `lane-processor.mjs` runs in them unless told otherwise. */
export async function lanesOf(
  kind: LaneKind,
  given: Partial<RemoteLaneSettings> = {},
): Promise<BuiltLanes> {
  const { lines, logger } = recordingLogger();
  const settings: RemoteLaneSettings = {
    count: 1,
    service: "test",
    modelPath: undefined,
    modelConfig: { layers: [1, 2] },
    properties: new Map([["depth", "1"]]),
    exposeErrors: false,
    module: programUrl("lane-processor.mjs"),
    clock,
    logger,
    ...given,
  };
  if (kind === "process") return { lines, lanes: processLanes(settings) };
  if (kind === "thread") return { lines, lanes: threadLanes(settings) };
  // Anew each time: lanes of the other kinds have a module of their own too.
  const { default: Processor } = await import(`${String(settings.module)}?${performance.now()}`);
  const { service, modelPath, modelConfig, properties, exposeErrors } = settings;
  const runner = createRunner(new Processor(), {
    context: {
      lane: { kind, index: 0, count: 1 },
      service,
      modelPath,
      modelConfig,
      properties,
      logger,
      signal: new AbortController().signal,
    },
    clock,
    logger,
    exposeErrors,
  });
  return { lines, lanes: inlineLanes(runner, { clock, logger }) };
}

const running: Lane[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((lane) => lane.close(0)));
});

/** A lane that runs, and what it has logged; it is closed after the test. */
export async function startLane(
  kind: LaneKind,
  given?: Partial<RemoteLaneSettings>,
): Promise<{ readonly lane: Lane; readonly lines: readonly LogLine[] }> {
  const { lanes, lines } = await lanesOf(kind, given);
  const lane = lanes(0);
  running.push(lane);
  await lane.start();
  return { lane, lines };
}

/** A call of the processor in a lane: its path says what is done. */
export function callOf(
  path: string,
  payloads: Invocation["payloads"] | string = "",
  parts: Partial<Invocation> & { readonly headers?: MetadataView } = {},
): Invocation {
  const abort = new CallAbort();
  return {
    door: "grpc",
    handler: path.startsWith("/") ? "rpc" : "process",
    service: "test",
    method: path.startsWith("/") ? path : "/inferwire.predict.v1.PredictService/Predict",
    path,
    query: "q=1",
    metadata: emptyMetadata,
    peer: "127.0.0.1:1",
    arrivedMs: clock.now(),
    deadlineMs: Number.POSITIVE_INFINITY,
    callerDeadlineMs: Number.POSITIVE_INFINITY,
    payloads: typeof payloads === "string" ? Buffer.from(payloads) : payloads,
    takesPieces: true,
    abort,
    giveUp: (reason) => abort.abort(reason),
    ...parts,
  };
}

/** What a call answers, as text. */
export async function answerOf(lane: Lane, path: string, data = ""): Promise<string> {
  const { payloads } = await lane.run(callOf(path, data));
  return Buffer.from(payloads as Uint8Array).toString();
}

/** What a call answers, as JSON. */
export async function jsonOf<T>(lane: Lane, path: string): Promise<T> {
  return JSON.parse(await answerOf(lane, path)) as T;
}

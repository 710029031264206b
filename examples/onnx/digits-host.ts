import { fileURLToPath } from "node:url";
import type { HostOptions } from "inferwire/host";
import { pixelCount } from "../mnist/network.js";
import { bytesOf } from "./floats.js";
import { OnnxProcessor } from "./processor.js";

/** Where `main.ts` writes the model before it starts the host. */
export const digitsPath: string = fileURLToPath(new URL(".inferwire/digits.onnx", import.meta.url));

/** Options of the host that tells digits apart. */
export const digitsOptions: HostOptions = {
  service: "digits",
  endpoint: "127.0.0.1:0",
  modelPath: digitsPath,
  workerProcesses: 2,
  module: import.meta.url,
  // An empty picture: the first run of a session is slower than all that follow.
  warmUp: [bytesOf(new Float32Array(pixelCount))],
};

/** What a lane finds when it loads this file. Asks for [1,784] float32 and answers with [1,10]. */
export const processor: OnnxProcessor = new OnnxProcessor(
  {
    inputs: [{ name: "image", shape: [1, pixelCount] }],
    outputs: ["probabilities"],
  },
  digitsOptions,
);

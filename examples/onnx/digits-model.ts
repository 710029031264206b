import {
  classCount,
  decodeNetwork,
  hiddenCount,
  pixelCount,
  type QuantisedLayers,
} from "../mnist/network.js";
import { type OnnxGraph, writeOnnx } from "./write-onnx.js";

/**
 * Turns the network that `../mnist/train.ts` trained into an .onnx file: 784 float32 from 0 (background) to 1 (ink) in,
 * ten probabilities out.
 *
 * @param weightsFile - `../mnist/data/weights.bin`
 * @throws Error when it is not a weights file.
 */
export function digitsModel(weightsFile: Uint8Array): Uint8Array {
  return writeOnnx(digitsGraph(decodeNetwork(weightsFile)));
}

function digitsGraph(layers: QuantisedLayers): OnnxGraph {
  const { hiddenScales, hiddenBiases, hiddenWeights } = layers;
  const { outputScales, outputBiases, outputWeights } = layers;
  // The file's scales are for pixels of 0 to 255.
  const hidden = Float32Array.from(
    hiddenWeights,
    (weight, index) => weight * (hiddenScales[index % hiddenCount] ?? 0) * 255,
  );
  const output = Float32Array.from(
    outputWeights,
    (weight, index) => weight * (outputScales[Math.floor(index / hiddenCount)] ?? 0),
  );
  return {
    name: "digits",
    inputs: [{ name: "image", shape: [1, pixelCount] }],
    outputs: [{ name: "probabilities", shape: [1, classCount] }],
    weights: [
      { name: "hidden.weights", shape: [pixelCount, hiddenCount], values: hidden },
      { name: "hidden.biases", shape: [hiddenCount], values: hiddenBiases },
      { name: "output.weights", shape: [classCount, hiddenCount], values: output },
      { name: "output.biases", shape: [classCount], values: outputBiases },
    ],
    nodes: [
      { operator: "Gemm", inputs: ["image", "hidden.weights", "hidden.biases"], output: "sums" },
      { operator: "Relu", inputs: ["sums"], output: "hidden" },
      {
        operator: "Gemm",
        inputs: ["hidden", "output.weights", "output.biases"],
        output: "scores",
        attributes: { transB: 1 },
      },
      { operator: "Softmax", inputs: ["scores"], output: "probabilities" },
    ],
  };
}

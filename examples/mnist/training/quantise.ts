import { classCount, hiddenCount, type QuantisedLayers } from "../network.js";
import type { Layers } from "./trainer.js";

const largestInt8 = 127;

/**
 * Rounds trained weights to int8, with one scale per unit so that a unit of small weights keeps its
 * precision. The hidden scales also hold the division of a pixel byte by 255.
 */
export function quantiseLayers(layers: Layers): QuantisedLayers {
  const hidden = quantise(layers.hiddenWeights, hiddenCount, (index) => index % hiddenCount);
  const output = quantise(layers.outputWeights, classCount, (index) =>
    Math.floor(index / hiddenCount),
  );
  return {
    hiddenScales: hidden.scales.map((scale) => scale / 255),
    hiddenBiases: layers.hiddenBiases,
    hiddenWeights: hidden.rounded,
    outputScales: output.scales,
    outputBiases: layers.outputBiases,
    outputWeights: output.rounded,
  };
}

function quantise(
  weights: Float32Array,
  unitCount: number,
  unitOf: (index: number) => number,
): { scales: Float32Array; rounded: Int8Array } {
  const scales = new Float32Array(unitCount);
  for (const [index, weight] of weights.entries()) {
    const unit = unitOf(index);
    scales[unit] = Math.max(scales[unit] ?? 0, Math.abs(weight) / largestInt8);
  }
  const rounded = Int8Array.from(weights, (weight, index) => {
    const scale = scales[unitOf(index)] ?? 0;
    return scale === 0 ? 0 : Math.round(weight / scale);
  });
  return { scales, rounded };
}

import { classCount, hiddenCount, pixelCount, softmaxInPlace } from "../network.js";
import type { Random } from "./random.js";

/** The weights in full precision; the layout is that of `QuantisedLayers`. */
export interface Layers {
  readonly hiddenWeights: Float32Array;
  readonly hiddenBiases: Float32Array;
  readonly outputWeights: Float32Array;
  readonly outputBiases: Float32Array;
}

/** Fits {@link Layers} to pictures, one batch at a time. */
export interface Trainer {
  readonly layers: Layers;
  /**
   * Takes one picture into the batch.
   *
   * @param inputs - 784 numbers from 0 to 1; free for other use afterwards
   * @returns the loss (cross-entropy) of the picture before the batch has any effect
   */
  learn(inputs: Float32Array, label: number): number;
  /** Ends the batch: moves the weights by what its pictures asked for. */
  step(learningRate: number): void;
}

/** Creates a trainer with random weights. */
export function createTrainer(random: Random): Trainer {
  const layers = createLayers();
  // He initialisation: keeps the spread of the signal through ReLU layers.
  fillNormal(layers.hiddenWeights, Math.sqrt(2 / pixelCount), random);
  fillNormal(layers.outputWeights, Math.sqrt(2 / hiddenCount), random);
  const gradients = createLayers();
  const optimisers = [
    createAdam(layers.hiddenWeights, gradients.hiddenWeights, weightDecay),
    createAdam(layers.hiddenBiases, gradients.hiddenBiases, 0),
    createAdam(layers.outputWeights, gradients.outputWeights, weightDecay),
    createAdam(layers.outputBiases, gradients.outputBiases, 0),
  ];
  const hidden = new Float32Array(hiddenCount);
  const hiddenErrors = new Float32Array(hiddenCount);
  const scores = new Float32Array(classCount);
  let pictureCount = 0;

  return {
    layers,
    learn(inputs, label) {
      runHidden(layers, inputs, hidden);
      runOutput(layers, hidden, scores);
      softmaxInPlace(scores);
      const loss = -Math.log(Math.max(scores[label] ?? 0, Number.MIN_VALUE));
      // The gradient of cross-entropy after softmax is the probabilities minus the truth.
      scores[label] = (scores[label] ?? 0) - 1;
      learnOutput(layers, gradients, hidden, scores, hiddenErrors);
      learnHidden(gradients, inputs, hiddenErrors);
      pictureCount++;
      return loss;
    },
    step(learningRate) {
      for (const optimiser of optimisers) {
        optimiser(learningRate, pictureCount);
      }
      pictureCount = 0;
    },
  };
}

const weightDecay = 0.01;

function createLayers(): Layers {
  return {
    hiddenWeights: new Float32Array(pixelCount * hiddenCount),
    hiddenBiases: new Float32Array(hiddenCount),
    outputWeights: new Float32Array(hiddenCount * classCount),
    outputBiases: new Float32Array(classCount),
  };
}

function fillNormal(weights: Float32Array, deviation: number, random: Random): void {
  for (let index = 0; index < weights.length; index++) {
    weights[index] = deviation * random.normal();
  }
}

function runHidden(layers: Layers, inputs: Float32Array, hidden: Float32Array): void {
  const { hiddenWeights } = layers;
  hidden.set(layers.hiddenBiases);
  for (let pixel = 0; pixel < pixelCount; pixel++) {
    const ink = inputs[pixel] ?? 0;
    if (ink === 0) {
      continue;
    }
    const row = pixel * hiddenCount;
    for (let unit = 0; unit < hiddenCount; unit++) {
      hidden[unit] = (hidden[unit] ?? 0) + ink * (hiddenWeights[row + unit] ?? 0);
    }
  }
  for (let unit = 0; unit < hiddenCount; unit++) {
    hidden[unit] = Math.max(0, hidden[unit] ?? 0);
  }
}

function runOutput(layers: Layers, hidden: Float32Array, scores: Float32Array): void {
  for (let digit = 0; digit < classCount; digit++) {
    const row = digit * hiddenCount;
    let sum = layers.outputBiases[digit] ?? 0;
    for (let unit = 0; unit < hiddenCount; unit++) {
      sum += (hidden[unit] ?? 0) * (layers.outputWeights[row + unit] ?? 0);
    }
    scores[digit] = sum;
  }
}

/** Collects the gradients of the output layer and hands its errors back to the hidden units. */
function learnOutput(
  layers: Layers,
  gradients: Layers,
  hidden: Float32Array,
  errors: Float32Array,
  hiddenErrors: Float32Array,
): void {
  hiddenErrors.fill(0);
  for (let digit = 0; digit < classCount; digit++) {
    const row = digit * hiddenCount;
    const error = errors[digit] ?? 0;
    gradients.outputBiases[digit] = (gradients.outputBiases[digit] ?? 0) + error;
    for (let unit = 0; unit < hiddenCount; unit++) {
      const at = row + unit;
      gradients.outputWeights[at] =
        (gradients.outputWeights[at] ?? 0) + error * (hidden[unit] ?? 0);
      hiddenErrors[unit] = (hiddenErrors[unit] ?? 0) + error * (layers.outputWeights[at] ?? 0);
    }
  }
  for (let unit = 0; unit < hiddenCount; unit++) {
    if (hidden[unit] === 0) {
      hiddenErrors[unit] = 0;
    }
  }
}

function learnHidden(gradients: Layers, inputs: Float32Array, errors: Float32Array): void {
  const { hiddenWeights, hiddenBiases } = gradients;
  for (let unit = 0; unit < hiddenCount; unit++) {
    hiddenBiases[unit] = (hiddenBiases[unit] ?? 0) + (errors[unit] ?? 0);
  }
  for (let pixel = 0; pixel < pixelCount; pixel++) {
    const ink = inputs[pixel] ?? 0;
    if (ink === 0) {
      continue;
    }
    const row = pixel * hiddenCount;
    for (let unit = 0; unit < hiddenCount; unit++) {
      hiddenWeights[row + unit] = (hiddenWeights[row + unit] ?? 0) + ink * (errors[unit] ?? 0);
    }
  }
}

/**
 * Returns a function that moves `weights` against the collected `gradients` and clears these.
 *
 * Source: Adam (Kingma and Ba, 2014) with decoupled weight decay (Loshchilov and Hutter, 2017).
 */
function createAdam(
  weights: Float32Array,
  gradients: Float32Array,
  decay: number,
): (learningRate: number, pictureCount: number) => void {
  const keepMean = 0.9;
  const keepSquare = 0.999;
  const means = new Float32Array(weights.length);
  const squares = new Float32Array(weights.length);
  let steps = 0;
  return (learningRate, pictureCount) => {
    steps++;
    const rate = (learningRate * Math.sqrt(1 - keepSquare ** steps)) / (1 - keepMean ** steps);
    const shrink = 1 - learningRate * decay;
    for (let index = 0; index < weights.length; index++) {
      const gradient = (gradients[index] ?? 0) / pictureCount;
      const mean = keepMean * (means[index] ?? 0) + (1 - keepMean) * gradient;
      const square = keepSquare * (squares[index] ?? 0) + (1 - keepSquare) * gradient * gradient;
      means[index] = mean;
      squares[index] = square;
      weights[index] = shrink * (weights[index] ?? 0) - (rate * mean) / (Math.sqrt(square) + 1e-8);
      gradients[index] = 0;
    }
  };
}

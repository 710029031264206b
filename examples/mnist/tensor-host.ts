/**
 * A host of the digit classifier that speaks TensorFlow's messages: `tensor-host.ts NAME WEIGHT DIRECTORY`. Pictures of 28 x 28
 * grey values from 0 to 1 in (`images`), the probability of each digit out (`scores`).
 */
import { readFileSync } from "node:fs";
import { ServerError, Status, TensorProcessor } from "inferwire/host";
import { type Tensor, tensor } from "inferwire/tensor";
import { classCount, loadNetwork, type Network, pixelCount } from "./network.js";

class DigitTensors extends TensorProcessor {
  #network: Network | undefined;

  override initialize(): void {
    this.#network = loadNetwork(readFileSync(new URL("data/weights.bin", import.meta.url)));
  }

  process(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const images = inputs.get("images");
    const [rows = 0, columns] = images?.shape ?? [];
    if (images?.dtype !== "float32" || columns !== pixelCount || this.#network === undefined) {
      throw new ServerError(Status.INVALID_ARGUMENT, `images is not float32 [n, ${pixelCount}]`);
    }
    const bytes = Uint8Array.from(images.data, (grey) => Math.round(grey * 255));
    const scores = new Float32Array(rows * classCount);
    for (let row = 0; row < rows; row++) {
      const pixels = bytes.subarray(row * pixelCount, (row + 1) * pixelCount);
      scores.set(this.#network.classify(pixels).scores, row * classCount);
    }
    return new Map([["scores", tensor("float32", [rows, classCount], scores)]]);
  }
}

const [name = "digits", weight = "100", directory] = process.argv.slice(2);
await new DigitTensors({
  dialect: "tensorflow",
  signature: {
    signatureName: "predict_images",
    inputs: [{ name: "images", shape: [-1, pixelCount], dtype: "float32" }],
    outputs: [{ name: "scores", shape: [-1, classCount], dtype: "float32" }],
  },
  service: "mnist_saved_model_example",
  token: "M2FhNjJl",
  name,
  weight: Number(weight),
  directory,
  endpoint: "127.0.0.1:0",
  leaseTtlMs: 3_000,
}).run();

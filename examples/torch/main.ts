/**
 * PyTorch's messages: a linear layer on two hosts, found through a directory, called with `TorchRequest` by index and by name.
 * `npx tsx examples/torch/main.ts`
 */
import { startDirectory } from "inferwire/directory";
import { ENDPOINT_TYPE_DIRECT, PredictClient, TorchRequest } from "inferwire/eas";
import { ServerError, Status, TensorProcessor } from "inferwire/host";
import { type Tensor, tensor } from "inferwire/tensor";

import { listed } from "../discovery.js";
import { silent } from "../silent.js";

const service = "linear_layer";
const token = "c2VjcmV0";

/** y = x W + b, for rows of three numbers. */
class Linear extends TensorProcessor {
  readonly #weights = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  readonly #bias = [10, 20];

  process(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const x = inputs.get("0") ?? inputs.get("x");
    if (x?.dtype !== "float32" || x.shape.length !== 2 || x.shape[1] !== this.#weights.length) {
      throw new ServerError(Status.INVALID_ARGUMENT, "input 0 (or x) is not float32 [n, 3]");
    }
    const [rows = 0, columns = 0] = x.shape;
    const y = new Float32Array(rows * 2);
    for (let row = 0; row < rows; row++) {
      for (const [unit, bias] of this.#bias.entries()) {
        let sum = bias;
        for (const [column, weights] of this.#weights.entries()) {
          sum += (x.data[row * columns + column] ?? 0) * (weights[unit] ?? 0);
        }
        y[row * 2 + unit] = sum;
      }
    }
    // Whoever asks by name is answered by name.
    return new Map([[inputs.has("x") ? "y" : "0", tensor("float32", [rows, 2], y)]]);
  }
}

await using directory = await startDirectory({ endpoint: "127.0.0.1:0", logger: silent });
const address = `${directory.address.host}:${directory.address.port}`;
const host = (name: string): Linear =>
  new Linear({
    dialect: "pytorch",
    service,
    token,
    name,
    directory: address,
    endpoint: "127.0.0.1:0",
    logger: silent,
  });
await using _a = await host("a").start();
await using _b = await host("b").start();

await listed(address, service, 2);

await using client = new PredictClient(address, service, {
  token,
  endpointType: ENDPOINT_TYPE_DIRECT,
});
const rows = [1, 0, 0, 0, 1, 1];

const byIndex = new TorchRequest();
byIndex.addFeed(0, [2, 3], TorchRequest.DT_FLOAT, rows);
byIndex.addFetch(0);
const indexed = await client.predict(byIndex);
console.log(indexed);
console.log("by index", indexed.getTensorShape(0), [...indexed.getValues(0)]);

const byName = new TorchRequest();
byName.addFeedMap("x", [2, 3], TorchRequest.DT_FLOAT, rows);
const named = await client.predict(byName);
console.log("by name ", named.getTensorShapeMap("y"), [...named.getValuesMap("y")]);

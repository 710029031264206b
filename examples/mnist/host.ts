/**
 * A host of the digit classifier: `host.ts NAME WEIGHT DIRECTORY`. 784 bytes in (28 x 28 grey values), the digit as
 * text out.
 */
import { readFileSync } from "node:fs";
import { BaseProcessor, ServerError, Status } from "inferwire/host";
import { loadNetwork, type Network, pixelCount } from "./network.js";

class Digits extends BaseProcessor {
  #network: Network | undefined;

  override initialize(): void {
    this.#network = loadNetwork(readFileSync(new URL("data/weights.bin", import.meta.url)));
  }

  process(data: Uint8Array): Uint8Array {
    if (this.#network === undefined || data.length !== pixelCount) {
      throw new ServerError(
        Status.INVALID_ARGUMENT,
        `a digit has ${pixelCount} bytes, this has ${data.length}`,
      );
    }
    return Buffer.from(`${this.#network.classify(data).digit}\n`);
  }
}

const [name = "digits", weight = "100", directory] = process.argv.slice(2);
await new Digits({
  service: "mnist",
  name,
  weight: Number(weight),
  directory,
  endpoint: "127.0.0.1:0",
  leaseTtlMs: 3_000,
}).run();

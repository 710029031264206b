// What `serve` hosts: a class, exported as `processor`, that answers what it was told.
import { BaseProcessor } from "inferwire/host";

export class processor extends BaseProcessor {
  #told = "nothing";

  initialize({ service, modelPath, lane }) {
    this.#told = `${service} ${modelPath ?? "-"} ${lane.kind}`;
  }

  process() {
    return Buffer.from(this.#told);
  }
}

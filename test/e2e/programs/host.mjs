// A host for tests of whole processes: `host.mjs OPTIONS_AS_JSON`. Answers its own name; "slow" waits for 300 ms;
// TEST_INITIALIZE=throw makes initialize() throw, =hang makes it wait for ever.
import { setTimeout as wait } from "node:timers/promises";
import { BaseProcessor } from "inferwire/host";

const options = JSON.parse(process.argv[2] ?? "{}");

class Named extends BaseProcessor {
  async initialize() {
    if (process.env.TEST_INITIALIZE === "throw") throw new Error("model.bin is missing");
    if (process.env.TEST_INITIALIZE === "hang") await new Promise(() => {});
  }

  async process(data) {
    if (Buffer.from(data).toString() === "slow") await wait(300);
    return Buffer.from(options.name ?? "unnamed");
  }
}

await new Named({ endpoint: "127.0.0.1:0", ...options }).run();

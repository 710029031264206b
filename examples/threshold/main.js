/**
 * The sample processor of the EAS documents: is 2 x + 100 at least y? `node examples/threshold/main.js`, then
 * `curl -d '10 20' http://127.0.0.1:8080/` answers True with 200, and `curl -d '2 105' ...` False with 400.
 */
import { BaseProcessor } from "inferwire/host";

class Threshold extends BaseProcessor {
  w0 = 0;
  w1 = 0;

  initialize() {
    this.w0 = 100;
    this.w1 = 2;
  }

  preProcess(data) {
    const [x, y] = Buffer.from(data).toString().trim().split(/\s+/).map(Number);
    return { x, y };
  }

  postProcess(passed) {
    return Buffer.from(passed ? "True" : "False");
  }

  process(data) {
    const { x, y } = this.preProcess(data);
    const passed = this.w1 * x + this.w0 >= y;
    return [this.postProcess(passed), passed ? 200 : 400];
  }
}

await new Threshold({ endpoint: process.argv[2] ?? "127.0.0.1:8080" }).run();

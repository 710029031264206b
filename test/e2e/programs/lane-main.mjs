// A main module that runs its processor; what it does at the end goes to a file.
import { appendFileSync } from "node:fs";
import { BaseProcessor } from "inferwire/host";

const note = (text) => appendFileSync(process.env.TEST_LANE_FILE, `${text}\n`);

class Main extends BaseProcessor {
  process() {
    return Buffer.from(JSON.stringify({ argv: process.argv.slice(1), pid: process.pid }));
  }

  dispose() {
    note("disposed");
  }
}

await new Main({ endpoint: "127.0.0.1:0" }).run();
note("run() is over");

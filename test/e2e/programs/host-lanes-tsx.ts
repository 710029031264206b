// Run by tsx: a main module in TypeScript that is its lanes' module too.
import { BaseProcessor } from "inferwire/host";

class Main extends BaseProcessor {
  override process(data: Uint8Array): Uint8Array {
    return Buffer.from(`${String(Buffer.from(data))} from ${process.pid}`);
  }
}

await new Main({ endpoint: "127.0.0.1:0", workerProcesses: 2 }).run();

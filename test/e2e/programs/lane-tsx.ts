// Run by tsx: a main module that is its lanes' module too, in threads and in processes.
import { BaseProcessor } from "inferwire/host";
import type { Invocation } from "../../../src/core/invocation.js";

class Main extends BaseProcessor {
  override process(): Uint8Array {
    return Buffer.from("from tsx");
  }
}

const inLane = Reflect.has(globalThis, Symbol.for("inferwire.lane"));
if (inLane) {
  await new Main({ endpoint: "127.0.0.1:0" }).run();
} else {
  const { answerOnce } = (await import(new URL("lane-once.mjs", import.meta.url).href)) as {
    answerOnce(kind: string, module: undefined): Promise<Invocation["payloads"]>;
  };
  for (const kind of ["thread", "process"]) {
    process.stdout.write(`${kind}: ${String(await answerOnce(kind, undefined))}\n`);
  }
}

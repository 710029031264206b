import type { CliCommand } from "./command.js";
import { configureWeightFlags, type DirectoryWeightFlags } from "./directory/weight-flags.js";

/** `inferwire directory weight`: sets the weight of an instance. */
export const directoryWeightCommand: CliCommand<DirectoryWeightFlags> = {
  name: "weight",
  summary: "set the weight of an instance, which outlives its restarts",
  tokenMeans: "the directory's token",
  tokenOption: "directoryToken",
  examples: [
    { line: "directory weight mnist gpu-1 0", what: "take an instance out of the traffic" },
    { line: "directory weight mnist 10.0.0.1:8080 50", what: "by its address" },
    { line: "directory weight mnist gpu-1 registered", what: "as it registered again" },
  ],
  configure(command) {
    command
      .argument("<service>", "name of the service")
      .argument("<instance>", "stable name of the instance, or the address of one that is listed")
      .argument("<weight>", 'a number from 0 to 1000000, or "registered"');
    configureWeightFlags(command);
  },
  async run([service = "", instance = "", weight = ""], flags, context) {
    const { runWeight } = await import("./directory/run-weight.js");
    await runWeight({ service, instance, weight }, flags, context);
    return undefined;
  },
};

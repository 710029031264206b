import { type BenchFlags, configureBenchFlags } from "./bench/flags.js";
import type { CliCommand } from "./command.js";

/** `inferwire bench`: a method under load. */
export const benchCommand: CliCommand<BenchFlags> = {
  name: "bench",
  summary: "put load on a method by schedule, and measure latency without coordinated omission",
  examples: [
    {
      line: `bench 127.0.0.1:8080 Sentiment/Classify --data '{"text":"a fine day"}' --rate 200 --duration 30`,
      what: "200 calls a second for half a minute",
    },
    {
      line: "bench directory://127.0.0.1:8100/sentiment Sentiment/Classify --data @request.json --save before.json",
      what: "any target; the figures are kept",
    },
    {
      line: "bench 127.0.0.1:8080 Sentiment/Classify --data @request.json --compare before.json --report after.html",
      what: "the same after a change, with both runs on one page",
    },
    {
      line: "bench 127.0.0.1:8080 Sentiment/Classify --closed 64",
      what: "how much it can do at all: 64 calls in progress all the time",
    },
  ],
  configure(command) {
    command
      .argument("<target>", "where the instances are, as for a client")
      .argument("<method>", "package.Service/Method, or as much of it as is clear");
    configureBenchFlags(command);
  },
  async run([target = "", method = ""], flags, context) {
    const { runBench } = await import("./bench/run-bench.js");
    await runBench(target, method, flags, context);
    return undefined;
  },
};

import type { Command } from "commander";
import { type ChannelFlags, configureChannelFlags } from "../channel-flags.js";
import { configureDescriptorFlags, type DescriptorFlags } from "../descriptor-flags.js";
import { benchDefaults } from "./settings.js";

/** Flags of `bench` as commander gives them. */
export interface BenchFlags extends ChannelFlags, DescriptorFlags {
  readonly data?: string;
  readonly rate?: string;
  readonly closed?: string;
  readonly arrivals?: string;
  readonly duration?: string;
  readonly warmUp?: string;
  readonly connections?: string;
  readonly seed?: string;
  readonly report?: string;
  readonly save?: string;
  readonly compare?: string;
}

/** Adds the flags of {@link BenchFlags}. */
export function configureBenchFlags(command: Command): void {
  const { callsPerSecond, durationS, warmUpS, connections, seed } = benchDefaults;
  command
    .option("--data <json>", "request as JSON, @FILE or @- for stdin (default: {})")
    .option("--rate <n>", `calls that start in a second (default: ${callsPerSecond})`)
    .option("--arrivals <how>", "constant, or poisson for independent callers (default: constant)")
    .option(
      "--closed <n>",
      "instead of a rate: so many calls in progress all the time, for the highest throughput",
    )
    .option("--duration <s>", `seconds that are measured (default: ${durationS})`)
    .option("--warm-up <s>", `seconds of the same load before, not measured (default: ${warmUpS})`)
    .option("--connections <n>", `connections to every instance (default: ${connections})`)
    .option("--seed <n>", `makes poisson arrivals and picks repeatable (default: ${seed})`)
    .option("--report <file>", "write a page with charts: one file of HTML, no network, no script")
    .option("--save <file>", "write the figures as JSON, for --compare")
    .option("--compare <file>", "compare with a run that --save has written");
  configureDescriptorFlags(command);
  configureChannelFlags(command);
}

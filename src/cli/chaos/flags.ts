import type { Command } from "commander";
import { configureDescriptorFlags, type DescriptorFlags } from "../descriptor-flags.js";
import { faultNames, runSeconds } from "./settings.js";

/** Flags of `inferwire chaos`. */
export interface ChaosFlags extends DescriptorFlags {
  readonly duration?: string;
  readonly seed?: string;
  readonly faults?: string;
  readonly method?: string;
  readonly data?: string;
}

/** Adds the flags of {@link ChaosFlags}. */
export function configureChaosFlags(command: Command): void {
  const { min, max, usual } = runSeconds;
  command
    .option(
      "--duration <s>",
      `about how long it takes, ${min} to ${max} seconds (default: ${usual})`,
    )
    .option("--seed <n>", "makes the choices of a run repeatable (default: random, and printed)")
    .option("--faults <list>", `${faultNames.join(", ")} (default: all)`)
    .option("--method <name>", "method of a typed service, as for call")
    .option("--data <payload>", "text, @FILE or @- for stdin; JSON for a typed method");
  configureDescriptorFlags(command);
}

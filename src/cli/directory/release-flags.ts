import type { Command } from "commander";
import { configureDirectoryClientFlags, type DirectoryClientFlags } from "./client-flags.js";

/** Flags of `inferwire directory release`. */
export interface DirectoryReleaseFlags extends DirectoryClientFlags {
  readonly to?: string;
  readonly percent?: string;
  readonly over?: string;
  readonly step?: string;
  readonly force?: boolean;
}

/** Percent points by which a share moves at most in one step, unless `--step` says otherwise. */
export const DEFAULT_STEP_POINTS = 5;

/** Adds the flags of {@link DirectoryReleaseFlags}. */
export function configureReleaseFlags(command: Command): void {
  command
    .requiredOption("--to <member>", "member whose share is moved: v2, or mnist.v2")
    .requiredOption("--percent <n>", "its share of the traffic in the end, 0 to 100")
    .option("--over <time>", "time to move it in, such as 30s or 5m; at once when left out")
    .option(
      "--step <points>",
      `with --over, percent points of a step at most (default: ${DEFAULT_STEP_POINTS})`,
    )
    .option("--force", "even when an instance that is to get calls is missing");
  configureDirectoryClientFlags(command);
}

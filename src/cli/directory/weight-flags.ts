import type { Command } from "commander";
import { configureDirectoryClientFlags, type DirectoryClientFlags } from "./client-flags.js";

/** Flags of `inferwire directory weight`. */
export interface DirectoryWeightFlags extends DirectoryClientFlags {
  readonly force?: boolean;
}

/** Adds the flags of {@link DirectoryWeightFlags}. */
export function configureWeightFlags(command: Command): void {
  command.option("--force", "even when no instance with a weight is left then");
  configureDirectoryClientFlags(command);
}

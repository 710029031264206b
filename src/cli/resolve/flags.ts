import type { Command } from "commander";
import { type ChannelFlags, configureChannelFlags } from "../channel-flags.js";

/** Flags of `inferwire resolve`. */
export interface ResolveFlags extends ChannelFlags {
  readonly watch?: boolean;
  readonly health?: boolean;
  readonly all?: boolean;
}

/** As many instances are asked for their health without `--all`. */
export const HEALTH_LIMIT = 200;

/** Adds the flags of {@link ResolveFlags}. */
export function configureResolveFlags(command: Command): void {
  command
    .option("--watch", "go on, and print every change until Ctrl+C")
    .option(
      "--health",
      "ask every instance with a weight whether it serves; --tls is for these then",
    )
    .option("--all", `with --health, ask more than ${HEALTH_LIMIT} instances as well`);
  configureChannelFlags(command);
}

import type { Command } from "commander";
import { type ChannelFlags, configureChannelFlags } from "../channel-flags.js";
import { repeated } from "../flag-values.js";

/** Flags of `inferwire builtin`. */
export interface BuiltinFlags extends ChannelFlags {
  readonly data?: string;
  readonly set?: readonly string[];
  readonly query?: readonly string[];
  readonly instance?: string;
  readonly all?: boolean;
  readonly adminToken?: string;
}

/** Adds the flags of {@link BuiltinFlags}. */
export function configureBuiltinFlags(command: Command): void {
  command
    .option("--data <text>", "what to send, or @FILE, or @- for stdin")
    .option("--set <name=value>", "property for prop to set, may be repeated", repeated)
    .option(
      "--query <name=value>",
      "parameter of the builtin, such as report=config; may be repeated",
      repeated,
    )
    .option("--instance <name>", "name or host:port of the one instance to run it on")
    .option("--all", "run it on every instance, even if that changes their state")
    .option(
      "--admin-token <text>",
      "token for what changes state (default: INFERWIRE_ADMIN_TOKEN, or INFERWIRE_ADMIN_TOKEN_FILE, else that of --token)",
    );
  configureChannelFlags(command);
}

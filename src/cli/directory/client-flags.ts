import type { Command } from "commander";
import { directoryDefaults } from "../../directory/directory-options.js";
import { type ConnectionFlags, configureConnectionFlags } from "../channel-flags.js";

/** Flags of every command that asks or tells a directory something. */
export interface DirectoryClientFlags extends ConnectionFlags {
  readonly directory?: string;
}

/** Adds the flags of {@link DirectoryClientFlags}. */
export function configureDirectoryClientFlags(command: Command): void {
  command.option(
    "--directory <addresses>",
    `directories, host:port[,host:port]: the first that answers (default: INFERWIRE_DIRECTORY, else ${directoryDefaults.endpoint})`,
  );
  configureConnectionFlags(command);
}

import type { CliCommand } from "./command.js";
import { configureDirectoryFlags, type DirectoryFlags } from "./directory/flags.js";

/** `inferwire directory`: runs the directory. */
export const directoryCommand: CliCommand<DirectoryFlags> = {
  name: "directory",
  summary: "run the directory that hosts register with and clients ask",
  tokenMeans: "token that registering wants; opens reading, too",
  examples: [
    { line: "directory", what: "on this machine only" },
    {
      line: "directory --endpoint :8100 --token WRITE --read-token READ",
      what: "for others, with a token for registering and one for reading",
    },
  ],
  configure: configureDirectoryFlags,
  async run(_args, flags, context) {
    const { runDirectory } = await import("./directory/run-directory.js");
    await runDirectory(flags, context);
    return undefined;
  },
};

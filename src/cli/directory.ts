import type { CliCommand } from "./command.js";
import { configureDirectoryFlags, type DirectoryFlags } from "./directory/flags.js";
import { directoryLsCommand } from "./directory-ls.js";
import { directoryReleaseCommand } from "./directory-release.js";
import { directoryWeightCommand } from "./directory-weight.js";

/** `inferwire directory`: runs the directory; the commands below it ask and tell one that runs. */
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
    {
      line: "directory --store file:directory.journal",
      what: "that knows after a restart what it knew before",
    },
    {
      line: "directory --endpoint :8100 --token WRITE --store etcd://a:2379,b:2379/inferwire",
      what: "one of several that serve one truth",
    },
  ],
  commands: [directoryLsCommand, directoryWeightCommand, directoryReleaseCommand],
  configure: configureDirectoryFlags,
  async run(_args, flags, context) {
    const { runDirectory } = await import("./directory/run-directory.js");
    await runDirectory(flags, context);
    return undefined;
  },
};

import type { CliCommand } from "./command.js";
import {
  configureDirectoryClientFlags,
  type DirectoryClientFlags,
} from "./directory/client-flags.js";

/** `inferwire directory ls`: shows what a directory lists. */
export const directoryLsCommand: CliCommand<DirectoryClientFlags> = {
  name: "ls",
  summary: "list services, or the instances of a service, or the members of a group",
  tokenMeans: "the directory's token, or its read token",
  tokenOption: "directoryToken",
  examples: [
    { line: "directory ls", what: "all services of the directory on this machine" },
    {
      line: "directory ls mnist --directory a:8100,b:8100",
      what: "the instances of a service, from the first of two directories that answers",
    },
  ],
  configure(command) {
    command.argument("[service]", "name of a service, or of a group; all services when left out");
    configureDirectoryClientFlags(command);
  },
  async run([service], flags, context) {
    const { runLs } = await import("./directory/run-ls.js");
    await runLs(service, flags, context);
    return undefined;
  },
};

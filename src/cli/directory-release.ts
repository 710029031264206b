import type { CliCommand } from "./command.js";
import { configureReleaseFlags, type DirectoryReleaseFlags } from "./directory/release-flags.js";

/** `inferwire directory release`: moves the traffic of a group. */
export const directoryReleaseCommand: CliCommand<DirectoryReleaseFlags> = {
  name: "release",
  summary: "move traffic to a member of a group, at once or step by step",
  tokenMeans: "the directory's token",
  tokenOption: "directoryToken",
  examples: [
    {
      line: "directory release mnist --to v2 --percent 10",
      what: "give mnist.v2 a tenth of the traffic of mnist",
    },
    {
      line: "directory release mnist --to v2 --percent 100 --over 5m --step 10",
      what: "and all of it within five minutes, in steps of ten percent points",
    },
    { line: "directory release mnist --to v2 --percent 0", what: "take it out again" },
  ],
  configure(command) {
    command.argument("<service>", "name of the group; its members are services named GROUP.MEMBER");
    configureReleaseFlags(command);
  },
  async run([service = ""], flags, context) {
    const { runRelease } = await import("./directory/run-release.js");
    await runRelease(service, flags, context);
    return undefined;
  },
};

import type { CliCommand } from "./command.js";
import { wordsFlag } from "./flag-values.js";
import type { PackFlags } from "./pack/run-pack.js";

/** `inferwire pack`: an archive of a service, for deployment. */
export const packCommand: CliCommand<PackFlags> = {
  name: "pack",
  summary: "pack a service into an archive for deployment, the same bytes every time",
  examples: [
    { line: "pack .", what: "this folder, into an archive of its name" },
    { line: "pack . --out /tmp/service.zip", what: "a zip, by the file's name" },
  ],
  configure(command) {
    command
      .argument("<dir>", "folder of the service")
      .option(
        "--out <file>",
        "the archive (default: the folder's name and the format, in the current folder)",
      )
      .addOption(
        wordsFlag("--format <name>", "tar.gz or zip (default: by the name of --out, else tar.gz)", [
          "tar.gz",
          "zip",
        ]),
      )
      .option("--include-secrets", "pack what may hold secrets, too: .env*, *.key and the like");
  },
  async run([dir = "."], flags, context) {
    const { runPack } = await import("./pack/run-pack.js");
    await runPack(dir, flags, context);
    return undefined;
  },
};

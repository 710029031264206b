import type { CliCommand } from "./command.js";
import { wordsFlag } from "./flag-values.js";
import type { InitFlags } from "./init/run-init.js";
import { defaultTemplate, templates } from "./init/templates.js";

/** `inferwire init`: a project that installs, type-checks, tests and starts as it is. */
export const initCommand: CliCommand<InitFlags> = {
  name: "init",
  summary: "make a new project",
  examples: [
    {
      line: "init sentiment --template service",
      what: "a typed service in the new folder sentiment",
    },
    {
      line: "init sentiment --kubernetes",
      what: "with manifests for Kubernetes, in kubernetes/",
    },
    { line: "init . --name my_model", what: "a processor of bytes, in this folder if it is empty" },
  ],
  configure(command) {
    const kinds = Object.entries(templates).map(([name, { summary }]) => `${name}: ${summary}`);
    command
      .argument("<dir>", "folder of the project; empty, or not there yet")
      .addOption(
        wordsFlag(
          "--template <name>",
          `${kinds.join("; ")} (default: ${defaultTemplate})`,
          Object.keys(templates),
        ),
      )
      .option("--name <name>", "name of the service (default: the folder's)")
      .option(
        "--kit <version|file>",
        "version of inferwire, or a packed tarball of it (default: this version)",
      )
      .option("--kubernetes", "write manifests for Kubernetes too");
  },
  async run([dir = "."], flags, context) {
    const { runInit } = await import("./init/run-init.js");
    await runInit(dir, flags, context);
    return undefined;
  },
};

import type { CliCommand } from "./command.js";
import type { GenerateFlags } from "./generate/run-generate.js";

/** `inferwire generate`: typed code for the protos of a folder. */
export const generateCommand: CliCommand<GenerateFlags> = {
  name: "generate",
  summary: "lint the protos of this folder and generate typed code for them",
  examples: [
    { line: "generate", what: "protos of buf.yaml, else of proto/, into gen/" },
    { line: "generate --watch", what: "again on every change, until Ctrl+C" },
    {
      line: "generate --check --against origin/main",
      what: "in CI: fail when gen/ is stale, or when the protos break what is on main",
    },
  ],
  configure(command) {
    command
      .option("--out <folder>", "folder for generated code (default: gen)")
      .option("--check", "write nothing, and fail when the folder does not match the protos")
      .option("--watch", "generate again whenever a proto changes")
      .option("--typed-arrays", "make every repeated number field that can be one a typed array")
      .option(
        "--against <ref>",
        "fail when the protos break those of a commit, branch or tag of git",
      );
  },
  async run(_args, flags, context) {
    const { runGenerate } = await import("./generate/run-generate.js");
    await runGenerate(flags, context);
    return undefined;
  },
};

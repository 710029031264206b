import { Option } from "commander";
import { describe, expect, it } from "vitest";
import type { CliCommand } from "../../../../src/cli/command.js";
import { completionScript } from "../../../../src/cli/completion/completion-script.js";

const command: CliCommand = {
  name: "init",
  summary: "it's: a start",
  examples: [],
  configure(each) {
    each
      .argument("<dir>")
      .addOption(new Option("--template <kind>", "what [kind]").choices(["one", "two"]))
      .option("--force", "even so")
      .addOption(new Option("--secret").hideHelp());
  },
  run: async () => undefined,
};

describe("completionScript", () => {
  it("tells bash the flags, which of them take a value, and their words", () => {
    const script = completionScript("bash", [command]);
    expect(script).toContain(
      'init) flags="--template --force --json --token --debug --help" valued="--template --token" fixed=("") ;;',
    );
    expect(script).toContain(
      'init--template) COMPREPLY=($(compgen -W "one two" -- "$current")) ;;',
    );
  });

  it("tells zsh specs that its _arguments can read", () => {
    const script = completionScript("zsh", [command]);
    expect(script).toContain("'init:it'\\''s: a start'");
    expect(script).toContain("'*--template[what [kind\\]]:value:(one two)' \\\n");
    expect(script).toContain("'*--force[even so]' \\\n");
    expect(script).toContain("'1:dir:_files'\n");
  });

  it("tells fish a line for each", () => {
    const lines = completionScript("fish", [command]).split("\n");
    expect(lines).toContain(
      "complete -c inferwire -f -n __fish_use_subcommand -a init -d 'it\\'s: a start'",
    );
    expect(lines).toContain(
      "complete -c inferwire -n '__fish_seen_subcommand_from init' -l template -r -f -a 'one two' -d 'what [kind]'",
    );
  });

  it("hides what the help hides", () => {
    for (const shell of ["bash", "zsh", "fish"] as const) {
      expect(completionScript(shell, [command])).not.toContain("secret");
    }
  });
});

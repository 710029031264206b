import { Option } from "commander";
import { describe, expect, it } from "vitest";
import type { CliCommand } from "../../../../src/cli/command.js";
import { completionScript } from "../../../../src/cli/completion/completion-script.js";
import { describedCommand } from "../../../../src/cli/describe-command.js";
import { BeginningsFlag } from "../../../../src/cli/flag-values.js";

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

const above: CliCommand = {
  name: "directory",
  summary: "run it",
  examples: [],
  commands: [{ ...command, name: "ls" }],
  configure: (each) => void each.option("--port <n>", "where"),
  run: async () => undefined,
};

describe("completionScript", () => {
  it("tells every shell the commands below one, and what they take", () => {
    const bash = completionScript("bash", [above]);
    expect(bash).toContain("      directory/ls)\n        command+=/");
    expect(bash).toContain('directory) flags="--port --json');
    expect(bash).toContain('below="ls" fixed=() ;;');
    expect(bash).toContain('directory/ls) flags="--template');
    const zsh = completionScript("zsh", [above]);
    expect(zsh).toContain("[[ $words[2] == (ls) ]]");
    expect(zsh).toContain("'ls:it'\\''s: a start'");
    const fish = completionScript("fish", [above]).split("\n");
    expect(fish).toContain(
      "complete -c inferwire -f -n '__fish_seen_subcommand_from directory; and test (count (commandline -opc)) -eq 2' -a ls -d 'it\\'s: a start'",
    );
    expect(fish).toContain(
      "complete -c inferwire -n '__fish_seen_subcommand_from directory; and __fish_seen_subcommand_from ls' -l force -d 'even so'",
    );
    expect(fish).toContain(
      "complete -c inferwire -n '__fish_seen_subcommand_from directory; and not __fish_seen_subcommand_from ls' -l port -r -d 'where'",
    );
  });

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

  it("tells the beginnings of values, and the commands behind help", () => {
    const store: CliCommand = {
      ...command,
      configure: (each) =>
        void each.addOption(new BeginningsFlag("--store <w>", "", ["memory", "file:"])),
    };
    const bash = completionScript("bash", [store]);
    expect(bash).toContain(
      'init--store) COMPREPLY=($(compgen -W "memory file:" -- "$current")) ;;',
    );
    expect(bash).toContain('help) flags="" valued="" fixed=("init") ;;');
    expect(completionScript("zsh", [store])).toContain(":value:(memory file\\:)'");
    expect(describedCommand(store).helpInformation()).not.toContain("choices");
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

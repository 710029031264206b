import { Argument } from "commander";
import type { CliCommand } from "./command.js";
import { shells } from "./completion/model.js";

/**
 * `inferwire completion`: prints what teaches a shell to complete commands, flags and their words.
 *
 * @param commands - what is completed; asked for when the command runs, since this one is among them
 */
export function completionCommand(commands: () => readonly CliCommand[]): CliCommand {
  return {
    name: "completion",
    summary: "print a script that teaches a shell to complete commands, flags and their words",
    examples: [
      {
        line: "completion bash > ~/.local/share/bash-completion/completions/inferwire",
        what: "bash",
      },
      { line: 'completion zsh > "$HOME/.zfunc/_inferwire"', what: "zsh, with ~/.zfunc in fpath" },
      { line: "completion fish > ~/.config/fish/completions/inferwire.fish", what: "fish" },
    ],
    configure(command) {
      command.addArgument(new Argument("<shell>", "which shell").choices(shells));
    },
    async run([shell], _flags, { terminal }) {
      const { completionScript } = await import("./completion/completion-script.js");
      const known = shells.find((each) => each === shell) ?? "bash";
      const script = completionScript(known, commands());
      terminal.result({ shell: known, script }, script);
      return undefined;
    },
  };
}
